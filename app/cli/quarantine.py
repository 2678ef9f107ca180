"""`dinoseek audit quarantine`, `restore`, `history`: files aside and back. A person is asked before anything moves."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.audits.acting import history, restoring
from app.audits.acting import quarantine as quarantining
from app.audits.acting.quarantine import Outcome, Plan, PlannedMove
from app.audits.acting.refusals import Refusal
from app.audits.acting.restoring import Progress, Restored
from app.cli.output import AuditId, JsonFlag, megabytes, print_json, print_table, progress_bar, say
from app.errors import InvalidInput
from app.resources import Resources, open_resources

SHOWN = 20  # files of a table; --json has all
GROUPS_HELP = "Only of these groups: their numbers, with commas."

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and touch nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


def quarantine(
    audit_id: AuditId,
    groups: Annotated[str | None, typer.Option(help=GROUPS_HELP, metavar="N,N…")] = None,
    link: Annotated[
        bool, typer.Option("--link", help="A hard link to the copy that stays takes each file's place.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Move what is marked into a folder beside your pictures. Nothing is deleted; `audit restore` brings it back.

    dinoseek audit quarantine 1 --dry-run
    """
    resources, chosen = open_resources(), _numbers(groups)
    if dry_run:
        plan = _plan(resources, audit_id, chosen, link)
        _answer_plan(audit_id, plan, link, as_json)
        return
    shown = None if yes else _confirmed_move(resources, audit_id, chosen, link)
    if shown is None and not yes:
        return
    with _watched("moving") as tell:
        outcome = quarantining.quarantine(resources, audit_id, chosen, link, tell, shown)
    _answer_moved(audit_id, outcome, link, as_json)


def restore(
    audit_id: Annotated[int | None, typer.Argument(help="The audit: all that it moved.", metavar="[ID]")] = None,
    path: Annotated[list[Path] | None, typer.Option(help="Only the file that was here, or what was below.")] = None,
    batch: Annotated[int | None, typer.Option(help="One batch, as `dinoseek audit history ID` names it.")] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--from", help="A quarantine folder: of a home that is lost, or when its pictures have moved."),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring files back from quarantine to where they were.

    dinoseek audit restore 1 --path photos/2019
    """
    resources, act = open_resources(), _restorer(audit_id, batch, folder, path)
    if not dry_run and not yes and not _confirmed_return(resources, act):
        return
    with _watched("looking" if dry_run else "bringing back") as tell:
        done = act(resources, dry_run, tell)
    _answer_restored(audit_id, done, dry_run, as_json)


def history_(audit_id: AuditId, as_json: JsonFlag = False) -> None:
    """What was moved, when, and how much of it is in quarantine now."""
    found = history.batches(open_resources(), audit_id)
    if as_json:
        print_json(found)
        return
    columns = ("batch", "when", "state", "in quarantine", "size", "restored", "refused")
    print_table(columns, [(*_when(one), one.moved, megabytes(one.bytes), one.restored, one.refused) for one in found])
    if not found:
        say(f"nothing was moved yet: `dinoseek audit quarantine {audit_id} --dry-run` shows what would be")


def _when(one: history.BatchFacts) -> tuple[int, str, str]:
    when = datetime.fromtimestamp(one.created_at).strftime("%Y-%m-%d %H:%M")
    return one.id, when, f"{one.status}, linked" if one.link else str(one.status)


def _restorer(
    audit_id: int | None, batch: int | None, folder: Path | None, paths: Sequence[Path] | None
) -> Callable[[Resources, bool, Progress], Restored]:
    if folder is None:
        return lambda resources, dry, tell: restoring.restore(resources, audit_id, batch, paths, dry, tell)
    if audit_id is not None or batch is not None:
        raise InvalidInput(f"--from {folder} brings back all that lies there: leave out the numbers, or use --path")
    return lambda resources, dry, tell: restoring.restore_from(resources, folder, paths, dry, tell)


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    wrong = next((part for part in parts if not part.isdecimal()), None)
    if wrong is not None:
        raise InvalidInput(f"--groups has {wrong!r}, which is no group's number: give them with commas, as 3,5,8")
    return [int(part) for part in parts]


@contextmanager
def _watched(verb: str) -> Iterator[Progress]:
    """A bar from the first file on: a refusal that comes before is the only line."""
    bar = progress_bar("files")
    task = bar.add_task(verb, total=None, rate="")
    with ExitStack() as shown:

        def tell(done: int, total: int) -> None:
            if not bar.live.is_started:
                shown.enter_context(bar)
            bar.update(task, completed=done, total=total)

        yield tell


def _plan(resources: Resources, audit_id: int, groups: list[int] | None, link: bool) -> Plan:
    with _watched("looking") as tell:
        return quarantining.plan(resources, audit_id, groups, link, tell)


def _confirmed_move(resources: Resources, audit_id: int, groups: list[int] | None, link: bool) -> Plan | None:
    """What a person was shown and said yes to."""
    _refuse_without_terminal("moved", f"dinoseek audit quarantine {audit_id}")
    plan = _plan(resources, audit_id, groups, link)
    files = [move for move in plan.moves if move.refusal is None]
    _show_moves(files, _left(plan.moves))
    if not files:
        say("nothing is to be moved")
        return None
    asked = f"Move {len(files):,} files, {megabytes(plan.bytes)}, into quarantine?"
    return plan if typer.confirm(asked, err=True) else None


def _confirmed_return(resources: Resources, act: Callable[[Resources, bool, Progress], Restored]) -> bool:
    _refuse_without_terminal("brought back", "dinoseek audit restore")
    with _watched("looking") as tell:
        found = act(resources, True, tell)
    _show_returned(found)
    if not found.files:
        say("nothing is to be brought back")
        return False
    return typer.confirm(f"Bring back {len(found.files):,} files, {megabytes(found.bytes)}?", err=True)


def _refuse_without_terminal(done: str, command: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidInput(f"nothing was {done}, nobody is here to be asked: `{command} … --yes`, or --dry-run first")


def _answer_plan(audit_id: int, plan: Plan, link: bool, as_json: bool) -> None:
    files = [move for move in plan.moves if move.refusal is None]
    if as_json:
        print_json(_moved(audit_id, None, files, _left(plan.moves), link, dry_run=True))
        return
    _show_moves(files, _left(plan.moves))
    say(f"{len(files):,} files, {megabytes(plan.bytes)}, would go into quarantine; nothing was touched")


def _answer_moved(audit_id: int, outcome: Outcome, link: bool, as_json: bool) -> None:
    if as_json:
        print_json(_moved(audit_id, outcome.batch_id, outcome.moves, outcome.refused, link, dry_run=False))
        return
    _show_refused(outcome.refused)
    say(f"{outcome.moved:,} files, {megabytes(outcome.bytes)}, are in quarantine; {len(outcome.refused):,} were left")
    if outcome.moved:
        say(f"`dinoseek audit restore --batch {outcome.batch_id}` brings them back")


def _answer_restored(audit_id: int | None, done: Restored, dry_run: bool, as_json: bool) -> None:
    if as_json:
        files = [{"path": f.path, "from": f.source, "bytes": f.bytes, "batch_id": f.batch_id} for f in done.files]
        facts = {"audit_id": audit_id, "dry_run": dry_run, "restored": len(files), "bytes": done.bytes}
        print_json({**facts, "files": files, "refused": list(done.refused)})
        return
    _show_returned(done)
    verb = "would come back; nothing was touched" if dry_run else "are back"
    say(f"{len(done.files):,} files, {megabytes(done.bytes)}, {verb}; {len(done.refused):,} were left")


def _moved(
    audit_id: int,
    batch_id: int | None,
    files: Sequence[PlannedMove],
    refused: Sequence[Refusal],
    link: bool,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    moves = [{"path": f.path, "to": f.to, "kept": f.kept, "bytes": f.bytes, "group_id": f.group_id} for f in files]
    facts = {"audit_id": audit_id, "batch_id": batch_id, "dry_run": dry_run, "link": link, "moved": len(moves)}
    return {**facts, "bytes": sum(f.bytes for f in files), "moves": moves, "refused": list(refused)}


def _left(moves: Sequence[PlannedMove]) -> list[Refusal]:
    return [Refusal(move.path, move.refusal) for move in moves if move.refusal is not None]


def _show_moves(files: Sequence[PlannedMove], refused: Sequence[Refusal]) -> None:
    if files:
        print_table(("file", "goes to", "what stays"), [(file.path, file.to, file.kept) for file in files[:SHOWN]])
    _say_more(len(files))
    _show_refused(refused)


def _show_returned(found: Restored) -> None:
    if found.files:
        print_table(("file", "comes from"), [(file.path, file.source) for file in found.files[:SHOWN]])
    _say_more(len(found.files))
    _show_refused(found.refused)


def _show_refused(refused: Sequence[Refusal]) -> None:
    if refused:
        print_table(("left as it is", "why"), [(one.path, one.reason) for one in refused[:SHOWN]])
    _say_more(len(refused))


def _say_more(count: int) -> None:
    if count > SHOWN:
        say(f"and {count - SHOWN:,} more: --json tells all")
