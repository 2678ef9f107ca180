"""`dinoseek search`: the pictures that look like one, or that show the same thing."""

from pathlib import Path
from typing import Annotated

import typer

from app import sharing
from app.cli.output import CollectionOption, JsonFlag, print_json, print_table, say, say_caveat
from app.errors import InvalidInput
from app.resources import open_resources
from app.search.desk import SearchDesk
from app.search.examples import Example
from app.search.instances import InstanceDesk
from app.search.query import Box, Hit, Page, checked_box
from app.vision.decoder import Decoder

search_command = typer.Typer(pretty_exceptions_enable=False)


@search_command.command()
def search(
    image: Annotated[Path, typer.Argument(help="A picture file.")],
    collection: CollectionOption,
    k: Annotated[int, typer.Option("-k", help="How many hits.")] = 10,
    box: Annotated[
        str | None, typer.Option(help="Search by a region: x0,y0,x1,y1 as shares 0…1 of the picture.")
    ] = None,
    instances: Annotated[
        bool, typer.Option("--instances", help="The same thing, verified and pointed at, not only what looks alike.")
    ] = False,
    unwanted: Annotated[
        list[Path], typer.Option("--not", help="With --instances: a picture of what is not meant.")
    ] = [],  # noqa: B006
    expand: Annotated[bool, typer.Option(help="With --instances: the surest hits ask in turn.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Find the pictures that look like IMAGE, best first.

    dinoseek search query.jpg -c photos -k 5 --box 0.1,0.2,0.5,0.9
    """
    shares = checked_box(parse_box(box)) if box else None
    if not instances and (unwanted or expand):
        raise InvalidInput("--not and --expand are of the search for the same thing: add --instances")
    resources = open_resources()
    sharing.bring_published(resources, collection)
    with Decoder(resources.settings) as decoder:
        desk = SearchDesk(resources, decoder)
        if instances:
            examples = [Example(path=image, box=shares), *(Example(path=path, wanted=False) for path in unwanted)]
            page = InstanceDesk(resources, desk).find(collection, examples, k, expand=expand)
        else:
            page = desk.by_file(collection, image, k, shares)
    if as_json:
        print_json(document(page))
        return
    show(page)


def parse_box(text: str) -> Box:
    """Raises InvalidInput unless there are four numbers."""
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(f"--box {text}: give four numbers x0,y0,x1,y1 as shares 0…1 of the picture") from None
    return x0, y0, x1, y1


def show(page: Page) -> None:
    took = page.took_ms
    verified = any(hit.matches is not None for hit in page.hits)
    columns = ("", "cosine", *(["places that agree"] if verified else []), "path")
    rows = [(hit.rank, f"{hit.score:.4f}", *([support(hit)] if verified else []), hit.path) for hit in page.hits]
    print_table(columns, rows)
    say(f"{page.collection} · {page.model} · {took['total']:.0f} ms, {took['embed']:.0f} of them in the encoder")
    say_caveat(page.model)


def support(hit: Hit) -> str:
    return f"{hit.inliers} of {hit.matches}" if hit.supported else "none: it only looks alike"


def document(page: Page) -> dict:
    """The contract's JSON."""
    return {
        "collection": page.collection,
        "model": page.model,
        "trained": page.trained,
        "query": page.query,
        "k": page.k,
        "hits": [
            {
                "rank": hit.rank,
                "image_id": hit.image_id,
                "path": hit.path,
                "score": round(hit.score, 6),
                "box": hit.box,
                "matches": hit.matches,
                **verified(hit),
            }
            for hit in page.hits
        ],
        "took_ms": page.took_ms,
    }


def verified(hit: Hit) -> dict:
    """What only an instance search tells."""
    if hit.supported is None:
        return {}
    return {"inliers": hit.inliers, "supported": hit.supported, "outline": hit.outline}
