"""`dinoseek audit`: run, show, list, export, threshold, decisions, quarantine, restore, history."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from app.audits import runs
from app.audits.grouping.rules import DEFAULT_ORDER, RULES, Rules
from app.audits.runs import AuditFacts
from app.audits.showing import answers
from app.catalog.states import AuditStatus, Tier
from app.cli import decisions, exporting, quarantine, threshold
from app.cli.output import (
    AuditId,
    CollectionOption,
    JsonFlag,
    megabytes,
    print_json,
    print_table,
    progress_bar,
    say,
    say_caveat,
)
from app.errors import AlreadyExists, ServiceUnavailable
from app.resources import Resources, open_resources
from app.search.refresh import Readers
from app.vision.decoder import Decoder

LOOK_S = 0.5
FIRST_GROUPS = 20
STAGES = {"look": "looking", "join": "pairing", "verify": "checking", "group": "grouping"}

audit_command = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)


@audit_command.command()
def run(
    collection: CollectionOption,
    against: Annotated[
        str | None, typer.Option(help="Another collection: which of our pictures are there too?")
    ] = None,
    keep: Annotated[str | None, typer.Option(help=f"What decides who is kept, in order: {','.join(RULES)}")] = None,
    prefer: Annotated[list[Path] | None, typer.Option(help="A folder whose files are rather kept.")] = None,
    protect: Annotated[list[Path] | None, typer.Option(help="A folder whose files are never moved.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Find copies: examine what is new since the last run, and group what belongs together.

    dinoseek audit run -c photos
    """
    resources = open_resources()
    audit_id = runs.open_audit(resources, collection, against, _rules(keep, prefer, protect))
    _run(resources, audit_id)
    _answer(resources, audit_id, None, as_json)


@audit_command.command()
def show(
    audit_id: AuditId,
    tier: Annotated[Tier | None, typer.Option(help="Only groups of this tier.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """The groups of an audit, as far as it is."""
    _answer(open_resources(), audit_id, tier, as_json)


@audit_command.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """Every audit there is, the latest first."""
    found = runs.all_facts(open_resources())
    if as_json:
        print_json(found)
        return
    rows = [
        (one.id, one.collection, one.against, one.status, f"{one.images:,}", megabytes(one.reclaimable_bytes))
        for one in found
    ]
    print_table(("audit", "collection", "against", "state", "pictures", "reclaimable"), rows)


audit_command.command()(quarantine.quarantine)
audit_command.command()(quarantine.restore)
audit_command.command("history")(quarantine.history_)
audit_command.command()(exporting.export)
audit_command.command()(threshold.threshold)
audit_command.command()(decisions.decisions)


def _rules(keep: str | None, prefer: list[Path] | None, protect: list[Path] | None) -> Rules | None:
    """None where nothing was said: what was chosen before stays."""
    if not (keep or prefer or protect):
        return None
    order = tuple(keep.split(",")) if keep else DEFAULT_ORDER
    folders, protected = ([str(path.absolute()) for path in paths or ()] for paths in (prefer, protect))
    return Rules.of({"order": order, "folders": folders, "protected": protected})


def _run(resources: Resources, audit_id: int) -> None:
    """Here; where another process is at it, until that is done, or at it no more."""
    with progress_bar("") as bar:
        task = bar.add_task("looking", total=None, rate="")
        with _followed(resources, audit_id, bar, task) as follow, Decoder(resources.settings) as decoder:
            while not (_ran(resources, audit_id, decoder) or _came_to_its_end(resources, audit_id, follow)):
                say(f"audit {audit_id} was left by the process that was at it: it goes on here")


def _ran(resources: Resources, audit_id: int, decoder: Decoder) -> bool:
    try:
        return runs.run_now(resources, audit_id, decoder, Readers(resources))
    except AlreadyExists:
        say(f"audit {audit_id} is run by another process already: waiting for it")
        return False


def _came_to_its_end(resources: Resources, audit_id: int, follow: Callable[[], AuditFacts]) -> bool:
    while (facts := follow()).status in (AuditStatus.RUNNING, AuditStatus.WAITING):
        if audit_id in runs.waiting(resources):
            return False
        time.sleep(LOOK_S)
    if facts.status is AuditStatus.FAILED:
        raise ServiceUnavailable(f"{facts.reason}: run the audit again, it goes on where it was")
    return True


@contextlib.contextmanager
def _followed(resources: Resources, audit_id: int, bar: Progress, task: TaskID) -> Iterator[Callable[[], AuditFacts]]:
    """The bar follows the row, whoever writes it."""
    over = threading.Event()

    def follow() -> AuditFacts:
        facts = runs.facts(resources, audit_id)
        words = STAGES.get(facts.stage, "starting")
        bar.update(task, description=words, completed=facts.done, total=facts.total or None)
        return facts

    def watch() -> None:
        while not over.wait(LOOK_S):
            with contextlib.suppress(ServiceUnavailable):
                follow()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield follow
    finally:
        over.set()
        thread.join()


def _answer(resources: Resources, audit_id: int, tier: Tier | None, as_json: bool) -> None:
    if as_json:
        print_json(answers.document(resources, audit_id, tier))
        return
    facts = runs.facts(resources, audit_id)
    groups = list(islice(answers.each_group(resources, audit_id, tier), FIRST_GROUPS + 1))
    rows = [row for group in groups[:FIRST_GROUPS] for row in _rows(group)]
    if rows:
        print_table(("group", "tier", "file", "why"), rows)
    if len(groups) > FIRST_GROUPS:
        say(f"and more: `dinoseek audit export {audit_id} FILE.html`, or the page of `dinoseek up`")
    _sum_up(resources, facts)
    say_caveat(facts.model)


def _rows(group: dict) -> list[tuple]:
    first, *others = group["members"]
    rows = [(group["group_id"], group["tier"], first["path"], f"kept: {first['reason']}")]
    return [*rows, *(("", "", member["path"], _why(member)) for member in others)]


def _why(member: dict) -> str:
    if member["tier"] is Tier.IDENTICAL:  # its relations are those of the copy whose bytes it has
        return f"identical, {member['reason']}"
    return ", ".join([*member["relation"], f"agrees to {member['score']:.0%}"])


def _sum_up(resources: Resources, facts: AuditFacts) -> None:
    rows = [
        ("state", facts.status if facts.reason is None else f"{facts.status}: {facts.reason}"),
        ("pictures", f"{facts.images:,}"),
        ("pairs checked", f"{facts.pairs_checked:,}"),
        ("reclaimable", megabytes(facts.reclaimable_bytes)),
    ]
    if found := answers.contained(resources, facts.id):
        rows.append((f"also in {facts.against}", f"{found['yes']:,}, and {found['no']:,} are not"))
    print_table((f"audit {facts.id} of {facts.collection}", ""), rows)
