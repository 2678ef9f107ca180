"""`dinoseek search`: the pictures that look like one."""

from pathlib import Path
from typing import Annotated

import typer

from app import sharing
from app.cli.output import CollectionOption, JsonFlag, print_json, print_table, say, say_caveat
from app.errors import InvalidInput
from app.resources import open_resources
from app.search.desk import SearchDesk
from app.search.query import Box, Page, checked_box
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
    as_json: JsonFlag = False,
) -> None:
    """Find the pictures that look like IMAGE, best first.

    dinoseek search query.jpg -c photos -k 5 --box 0.1,0.2,0.5,0.9
    """
    shares = checked_box(parse_box(box)) if box else None
    resources = open_resources()
    sharing.bring_published(resources, collection)
    with Decoder(resources.settings) as decoder:
        page = SearchDesk(resources, decoder).by_file(collection, image, k, shares)
    if as_json:
        print_json(document(page))
        return
    took = page.took_ms
    print_table(("", "cosine", "path"), [(hit.rank, f"{hit.score:.4f}", hit.path) for hit in page.hits])
    say(f"{page.collection} · {page.model} · {took['total']:.0f} ms, {took['embed']:.0f} of them in the encoder")
    say_caveat(page.model)


def parse_box(text: str) -> Box:
    """Raises InvalidInput unless there are four numbers."""
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(f"--box {text}: give four numbers x0,y0,x1,y1 as shares 0…1 of the picture") from None
    return x0, y0, x1, y1


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
            }
            for hit in page.hits
        ],
        "took_ms": page.took_ms,
    }
