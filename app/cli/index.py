"""`dinoseek index`: status, build, verify, copy."""

from dataclasses import asdict
from typing import Annotated

import typer

from app import library, moving, upkeep
from app.cli.output import CollectionOption, JsonFlag, megabytes, print_json, print_table, progress_bar, say
from app.errors import ServiceUnavailable
from app.inspection import inspect
from app.resources import Resources, open_resources
from app.upkeep import IndexFacts, RegionFacts

index_command = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)


@index_command.command()
def status(collection: CollectionOption, as_json: JsonFlag = False) -> None:
    """What is in the snapshot, what is scanned beside it, what is dead."""
    show(upkeep.status(open_resources(), collection), as_json)


@index_command.command()
def build(collection: CollectionOption, as_json: JsonFlag = False) -> None:
    """Build, verify and publish a snapshot now."""
    resources = open_resources()
    if not upkeep.rebuild(resources, _id(resources, collection), force=True):
        raise ServiceUnavailable(f"another build of {collection!r} is at work or died just now: try again in 2 minutes")
    show(upkeep.status(resources, collection), as_json)


@index_command.command()
def verify(collection: CollectionOption, as_json: JsonFlag = False) -> None:
    """Hold rows, vectors, ids and files against each other, and set right what contradicts.

    Vectors that must be made anew are made by the workers; a snapshot is built again here.
    """
    inspection = inspect(open_resources(), collection)
    if as_json:
        print_json({**asdict(inspection.index), "findings": [asdict(finding) for finding in inspection.findings]})
        return
    show(inspection.index, as_json)
    found = [(f"{finding.count:,}", finding.meaning) for finding in inspection.findings]
    print_table(("found", "what"), found or [("0", "all agrees")])


@index_command.command()
def copy(
    collection: CollectionOption,
    to: Annotated[str, typer.Option(help="milvus://HOST:19530, or milvus:///FOLDER/FILE.db for Milvus Lite.")],
    as_json: JsonFlag = False,
) -> None:
    """Copy a collection's vectors to a Milvus cluster, and hold its answers against ours.

    dinoseek index copy -c photos --to milvus://cluster:19530
    """
    with progress_bar("vectors") as bar:
        task = bar.add_task("copying", total=None, rate="")
        moved = moving.copy(
            open_resources(), collection, to, lambda done, total: bar.update(task, completed=done, total=total)
        )
    if as_json:
        print_json(asdict(moved))
    else:
        rows = [("vectors here", f"{moved.vectors:,}"), ("on the cluster", f"{moved.on_cluster:,}")]
        print_table((collection, ""), [*rows, (f"same ten nearest, of {moved.compared}", f"{moved.same_top_10:.4f}")])
    if not moved.whole:
        raise ServiceUnavailable(f"{moved.on_cluster:,} of {moved.vectors:,} vectors arrived: run it again")
    say(f"to search there, set DINOSEEK_VECTOR_URL={moved.cluster} wherever dinoseek runs")


def _id(resources: Resources, name: str) -> int:
    return library.collection(resources, name).id


def _seconds(seconds: float | None) -> str | None:
    """None for a snapshot of an earlier release, which noted no time."""
    return None if seconds is None else f"{seconds:.1f} s"


def show(facts: IndexFacts, as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    snapshot = facts.snapshot or {}
    rows = [
        ("state", facts.state),
        ("model", facts.model),
        ("pictures", f"{facts.images:,}"),
        ("in the snapshot", f"{snapshot.get('vectors', 0):,} ({snapshot.get('recipe', 'none yet')})"),
        ("size", megabytes(snapshot.get("bytes"))),
        ("recall@10", snapshot.get("recall_at_10")),
        ("built in", _seconds(snapshot.get("build_s"))),
        ("scanned beside it", f"{facts.tail:,}"),
        ("dead inside it", f"{facts.tombstones:,}"),
    ]
    print_table((facts.collection, ""), rows + _regions(facts.regions))


def _regions(facts: RegionFacts | None) -> list[tuple[str, object]]:
    """Of a collection that keeps parts of its pictures."""
    if facts is None:
        return []
    snapshot = facts.snapshot or {}
    return [
        ("parts of pictures", f"{facts.each} each, {facts.state}"),
        ("parts in their snapshot", f"{snapshot.get('vectors', 0):,} ({snapshot.get('recipe', 'none yet')})"),
        ("its size", megabytes(snapshot.get("bytes"))),
        ("its recall@10", snapshot.get("recall_at_10")),
        ("pictures scanned beside it", f"{facts.tail:,}"),
    ]
