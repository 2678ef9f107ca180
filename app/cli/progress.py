"""`dinoseek progress`: how far a collection is at this moment, and where the time goes."""

from dataclasses import asdict

import typer

from app.cli.output import CollectionOption, JsonFlag, print_json, print_table, rate, say
from app.ingest.progress import Progress, progress
from app.ingest.stages import BY_NAME, in_words
from app.resources import open_resources
from app.ui.words import duration

progress_command = typer.Typer(pretty_exceptions_enable=False)


@progress_command.command("progress")
def progress_(collection: CollectionOption, as_json: JsonFlag = False) -> None:
    """Counts, rate, time left, workers at it, and the stage that takes the longest.

    dinoseek progress -c photos
    """
    now = progress(open_resources(), collection)
    if as_json:
        print_json(document(collection, now))
        return
    _show(collection, now)


def document(collection: str, now: Progress) -> dict:
    """The facts, and what follows from them."""
    return {
        "collection": collection,
        **asdict(now),
        "stages": now.stages,
        "bottleneck": next(iter(now.stages), None),
        "obstacle": now.obstacle and now.obstacle.what,
        "way_out": now.obstacle and now.obstacle.way_out,
    }


def _show(collection: str, now: Progress) -> None:
    at_work = sum(worker.at_work for worker in now.workers)
    rows = [
        ("pictures", f"{now.total:,}"),
        ("searchable", f"{now.ready:,}"),
        ("waiting", f"{now.waiting:,}"),
        ("failed", f"{now.failed:,}"),
        ("rate", rate(now.rate_per_s)),
        ("time left", duration(now.eta_s) if now.eta_s is not None else None),
        ("workers", f"{at_work} at work of {len(now.workers)} alive"),
        ("where the time goes", in_words(now.stages)),
    ]
    print_table((collection, ""), rows)
    if now.stages:
        parts = [(BY_NAME[name].words, f"{share:.0%}") for name, share in now.stages.items()]
        print_table(("stage", "of the time"), parts)
        say(f"to go faster: {BY_NAME[next(iter(now.stages))].faster}")
    if now.obstacle:
        say(str(now.obstacle), "yellow")
