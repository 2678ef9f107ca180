"""`dinoseek workers`: who is alive, on what, how fast, where the time goes, and what waits unclaimed."""

from dataclasses import asdict

import typer

from app.cli.output import JsonFlag, print_json, print_table, rate, say
from app.ingest.progress import WorkerFacts, progress, workers_alive
from app.ingest.stages import in_words, shares_of
from app.library import collections
from app.resources import Resources, open_resources

workers_command = typer.Typer(pretty_exceptions_enable=False)


@workers_command.command()
def workers(as_json: JsonFlag = False) -> None:
    """The workers alive, and whether work waits that nobody claims."""
    resources = open_resources()
    alive, waiting = workers_alive(resources), _waiting(resources)
    if as_json:
        print_json({"workers": [asdict(worker) | {"at_work": worker.at_work} for worker in alive], "waiting": waiting})
        return
    columns = ("worker", "device", "model", "rate", "done", "holds", "where the time goes", "trouble")
    print_table(columns, [_row(worker) for worker in alive])
    if not alive:
        say("no worker is alive: `dinoseek up` or `dinoseek worker` starts one")
    for row in waiting:
        told = f": {row['obstacle']}: {row['way_out']}" if row["obstacle"] else ""
        say(f"{row['collection']}: {row['images']:,} pictures wait{told}")


def _row(worker: WorkerFacts) -> tuple:
    pace = rate(worker.images_per_s) if worker.at_work else "idle"
    goes = in_words(shares_of([worker.stage_s]))
    return worker.name, worker.device, worker.model, pace, worker.images_done, worker.holding, goes, worker.trouble


def _waiting(resources: Resources) -> list[dict]:
    """Each collection with waiting pictures: how many, for how long unclaimed, and what keeps them."""
    found = [(row.name, progress(resources, row.name)) for row in collections(resources) if row.pending]
    return [
        {
            "collection": name,
            "images": now.waiting,
            "unclaimed_s": now.unclaimed_s,
            "obstacle": now.obstacle and now.obstacle.what,
            "way_out": now.obstacle and now.obstacle.way_out,
        }
        for name, now in found
    ]
