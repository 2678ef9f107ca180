"""`dinoseek collections switch`: another model for a collection that goes on answering meanwhile."""

import time
from typing import Annotated

import typer

from app import library, switching
from app.cli.ingest import TROUBLE_S, Moved, worker_at_hand
from app.cli.output import JsonFlag, print_json, progress_bar, say, say_caveat
from app.cli.supervisor import Supervisor
from app.encoders import Encoders
from app.errors import InvalidInput, ServiceUnavailable
from app.ingest.progress import Progress, progress
from app.library import ChangeFacts, CollectionFacts
from app.resources import Resources, open_resources

POLL_S = 0.5
InstancesOption = Annotated[
    str | None,
    typer.Option(
        "--instances",
        help="What is kept of the places in pictures, to find one and the same thing: off, light or full. "
        "With it, pictures are seen as grid336-v1 unless --preprocessing says otherwise; see docs/instances.md.",
    ),
]


def switch(
    name: Annotated[str, typer.Argument(help="The collection's name.")],
    model: Annotated[str | None, typer.Option(help="The new encoder; see `models list`. Left open: the same.")] = None,
    preprocessing: Annotated[str | None, typer.Option(help="How pictures become squares; see docs/models.md.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, int8, bfloat16 or float16.")] = None,
    instances: InstancesOption = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")] = True,
    add_only: Annotated[bool, typer.Option("--add-only", help="Make the vectors, and switch another time.")] = False,
    leave_behind: Annotated[
        bool,
        typer.Option("--leave-behind", help="Go over without what can't be embedded; it can be retried."),
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Stay with the model there is.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Embed a collection's pictures with another model in the background, then go over to it in one step.

    Searches answer with the old model until then. Safe to stop and to run again, which goes on.

    dinoseek collections switch photos --model dinov2_vits14
    """
    started, resources = time.monotonic(), open_resources()
    terms = {"model": model, "preprocessing": preprocessing, "precision": precision, "detail": instances}
    terms |= {"add_only": add_only, "leave_behind": leave_behind}
    if cancel:
        _refuse_any(terms)
        switching.cancel(resources, name)
        begun = None
    else:
        begun = switching.begin(resources, name, Encoders(resources.settings), **terms).change
    if wait and begun:
        wait_until_made(resources, name, begun)
    facts = library.collection(resources, name)
    _answer(facts, "cancelled" if cancel else _state(facts, begun, add_only), time.monotonic() - started, as_json)


def wait_until_made(resources: Resources, name: str, begun: ChangeFacts) -> None:
    """Show its counts until the change is made. Raises ServiceUnavailable for what only a person can help."""
    with worker_at_hand(resources) as worker, progress_bar("pictures") as bar:
        task, moved = bar.add_task(begun.label, total=begun.total, rate=""), Moved()
        while (now := progress(resources, name)).change:
            rate = f"{now.rate_per_s:.1f}/s" if now.rate_per_s else ""
            bar.update(task, completed=now.change.done, total=now.change.total, rate=rate)
            _check(resources, name, now, worker, moved)
            time.sleep(POLL_S)


def _check(resources: Resources, name: str, now: Progress, worker: Supervisor | None, moved: Moved) -> None:
    if worker is not None:
        worker.check()
    if reason := switching.held_up(resources, name):
        raise ServiceUnavailable(reason)
    still = moved.seconds_since(now.waiting + now.change.waiting) > TROUBLE_S
    if now.trouble and still:
        raise ServiceUnavailable(f"{now.trouble} (the change is kept and goes on then)")


def _refuse_any(terms: dict) -> None:
    if any(terms.values()):
        raise InvalidInput("--cancel goes alone: it stops the change there is")


def _state(facts: CollectionFacts, begun: ChangeFacts | None, add_only: bool) -> str:
    """What became of the change, also where somebody else cancelled it meanwhile."""
    if facts.change:
        return "changing"
    if add_only or (begun and begun.add_only):
        return "added"
    return "done" if begun is None or _kind(begun) == _kind(facts) else "cancelled"


def _kind(facts: CollectionFacts | ChangeFacts) -> tuple[str, ...]:
    return facts.model, facts.preprocessing, facts.precision, facts.instances


def _answer(facts: CollectionFacts, state: str, seconds: float, as_json: bool) -> None:
    if as_json:
        print_json({"collection": facts.name, "state": state, "seconds": round(seconds, 3), **_counts(facts)})
        return
    said = {
        "cancelled": f"stays with {facts.model}",
        "added": f"answers with {facts.model}; the new vectors lie beside, and a switch to them is immediate",
        "changing": f"answers with {facts.model} and goes on in the background: `dinoseek collections list`",
        "done": f"answers with {facts.model}, {facts.ready:,} pictures",
    }
    say(f"{facts.name} {said[state]}")
    say_caveat(facts.model)


def _counts(facts: CollectionFacts) -> dict:
    return {
        "model": facts.model,
        "preprocessing": facts.preprocessing,
        "precision": facts.precision,
        "instances": facts.instances,
        "images": facts.images,
        "ready": facts.ready,
        "failed": facts.failed,
        "change": facts.change,
    }
