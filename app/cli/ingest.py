"""`dinoseek ingest`: folders and files into a collection, with a bar that knows how long it takes."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer
from rich.progress import TextColumn

from app.cli.output import (
    WIDE_CHARS,
    CollectionOption,
    JsonFlag,
    err,
    print_json,
    print_table,
    progress_bar,
    rate,
    say,
    say_caveat,
)
from app.cli.supervisor import Supervisor, kept_worker
from app.errors import ServiceUnavailable
from app.ingest import roots, scan
from app.ingest.lookout import Lookout
from app.ingest.outage import outlast
from app.ingest.progress import Obstacle, Progress, workers_alive
from app.ingest.receive import Outcome
from app.ingest.report import ScanReport
from app.ingest.scan import Wishes
from app.ingest.stages import in_words
from app.ingest.sweep import retire_dead
from app.ingest.watch import Watcher
from app.library import CollectionFacts, open_collection
from app.resources import Resources, open_resources
from app.ui.words import duration

POLL_S = 0.2
HINT_S = 15.0  # what keeps pictures waiting for this long is said, once
TROUBLE_S = 20.0  # a worker pauses for half of this after trouble, and may do better then
FAILURES_SHOWN = 20

ingest_command = typer.Typer(pretty_exceptions_enable=False)


@ingest_command.command()
def ingest(
    paths: Annotated[
        list[str], typer.Argument(help="Folders, files, zip and tar archives, addresses such as s3://bucket/prefix.")
    ],
    collection: CollectionOption,
    model: Annotated[str | None, typer.Option(help="For a new collection: the encoder. See `models list`.")] = None,
    copy: Annotated[
        bool | None,
        typer.Option("--copy/--no-copy", help="Copy the files: the originals may vanish then. Usual with a store."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, as files come and go. Ctrl-C ends it.")] = False,
    forget_missing: Annotated[
        bool, typer.Option("--forget-missing", help="Files that are missing are gone for good, however many they are.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until every picture is searchable.")] = True,
    as_json: JsonFlag = False,
) -> None:
    """Put pictures into a collection. Safe to stop and to run again: what is there is not done twice.

    dinoseek ingest ~/Pictures -c photos
    """
    started = time.monotonic()
    resources = open_resources()
    given = roots.given(resources, collection, paths)
    facts = open_collection(resources, collection, model)
    report = ScanReport(collection, roots=given)
    wishes = Wishes(copy, forget_missing)
    with worker_at_hand(resources) if watch and wait else contextlib.nullcontext():
        _watch(resources, report, wishes) if watch else _scan(resources, report, wishes)
    if wait and not watch:
        with worker_at_hand(resources) as worker:
            wait_until_done(resources, collection, worker)
    if wait:
        scan.settle(resources, report)
    report.seconds = time.monotonic() - started
    _answer(facts, report, as_json)


def _scan(resources: Resources, report: ScanReport, wishes: Wishes) -> None:
    with progress_bar("files") as bar:
        task = bar.add_task("reading", total=None, rate="")
        scan.read_roots(
            resources, report, report.roots, lambda done, found: bar.update(task, completed=done, total=found), wishes
        )


def _watch(resources: Resources, report: ScanReport, wishes: Wishes) -> None:
    """Until SIGTERM or Ctrl-C, which end it between two files' transactions."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    say("watching: Ctrl-C ends it")
    watcher = Watcher(resources, report, wishes, stop, on_change=_say_change)
    watcher.run(first=lambda wishes: _scan(resources, report, wishes))


def _say_change(counts: dict[str, int]) -> None:
    say(", ".join(f"{count:,} {name}" for name, count in counts.items() if count))


@contextlib.contextmanager
def worker_at_hand(resources: Resources) -> Iterator[Supervisor | None]:
    """A worker for as long as it is needed: the one that runs already, or one of our own. With a broker: theirs."""
    retire_dead(resources)
    if resources.settings.broker is not None or workers_alive(resources):
        yield None
        return
    with kept_worker(resources.settings) as supervisor:
        yield supervisor


def wait_until_done(resources: Resources, collection: str, worker: Supervisor | None) -> None:
    """Show the catalogue's counts until nothing waits. Raises ServiceUnavailable when our own worker can't run."""
    moved, hint, lookout = Moved(), Hint(), Lookout(resources)
    with progress_bar("pictures", TextColumn("{task.fields[left]}")) as bar:
        task = bar.add_task("embedding", total=None, rate="", left="")
        while (now := outlast(partial(lookout.progress, collection))).waiting > now.resting:
            done = now.ready + now.failed
            bar.update(task, completed=done, total=now.total, rate=rate(now.rate_per_s), left=_left(now))
            if worker is not None:
                worker.check()
            if now.trouble and moved.seconds_since(now.waiting) > TROUBLE_S:
                raise ServiceUnavailable(f"{now.trouble} (the pictures are kept and wait)")
            if worker is None or now.workers:
                hint.give(now.obstacle)
            time.sleep(max(POLL_S, lookout.pause_s(collection)))
        bar.update(task, completed=now.total - now.resting, total=now.total, rate="", left="")
    if now.resting:
        say(f"{now.resting:,} pictures wait for a source that is away: they go on when it is back", "yellow")


class Moved:
    """When a count last changed."""

    def __init__(self) -> None:
        self._count, self._at = -1, time.monotonic()

    def seconds_since(self, count: int) -> float:
        if count != self._count:
            self._count, self._at = count, time.monotonic()
        return time.monotonic() - self._at


class Hint:
    """Says what keeps the pictures waiting, when it has for a while; once, until they move again."""

    def __init__(self) -> None:
        self._since, self._said = time.monotonic(), False

    def give(self, obstacle: Obstacle | None) -> None:
        if obstacle is None:
            self._since, self._said = time.monotonic(), False
        elif not self._said and time.monotonic() - self._since > HINT_S:
            say(str(obstacle), "yellow")
            self._said = True


def _left(now: Progress) -> str:
    left = f"{duration(now.eta_s)} left" if now.eta_s is not None else ""
    goes = in_words(now.stages) if err.width >= WIDE_CHARS else ""
    return " · ".join(part for part in (left, goes) if part)


def _answer(facts: CollectionFacts, report: ScanReport, as_json: bool) -> None:
    for absent in report.away:
        say(f"{absent.address} is away, nothing of it is forgotten: {absent.reason}", "yellow")
    if as_json:
        print_json(_document(facts, report))
        return
    counts = report.counts
    parts = [f"{counts[name]:,} {name}" for name in ("seen", "added", "known", "failed", "skipped")]
    say(f"{report.collection}: {', '.join(parts)} in {report.seconds:.1f} s with {facts.model}")
    say_caveat(facts.model)
    failed = [(r.path, r.reason) for r in report.receipts if r.outcome is Outcome.FAILED]
    if failed:
        print_table(("refused", "why"), failed[:FAILURES_SHOWN])
    if len(failed) > FAILURES_SHOWN:
        say(f"… and {len(failed) - FAILURES_SHOWN} more: --json lists them all")


def _document(facts: CollectionFacts, report: ScanReport) -> dict:
    def listed(outcome: Outcome) -> list[dict]:
        chosen = (receipt for receipt in report.receipts if receipt.outcome is outcome)
        return [{"path": r.path, "error": r.error, "reason": r.reason} for r in chosen]

    return {
        "collection": report.collection,
        "model": facts.model,
        "trained": facts.trained,
        **report.counts,
        "seconds": round(report.seconds, 3),
        "failures": listed(Outcome.FAILED),
        "skips": listed(Outcome.SKIPPED),
        "away": report.away,
    }
