"""`dinoseek audit threshold`: from which score on pictures are copies, what labels say of it, and another one."""

from typing import Annotated, Any

import typer

from app.audits.evidence import labels, thresholds
from app.audits.evidence.thresholds import Evidence, InUse
from app.cli.output import AuditId, JsonFlag, print_json, print_table, say
from app.errors import InvalidInput
from app.resources import Resources, open_resources


def threshold(
    audit_id: AuditId,
    target: Annotated[
        float | None, typer.Option(help="Use the lowest threshold that surely has this precision, as 0.95.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Go back to the threshold that the check comes with.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """The threshold in use, and what your labels say of it. Pairs are labelled on the page of `dinoseek up`.

    dinoseek audit threshold 1 --target 0.95
    """
    if clear and target is not None:
        raise InvalidInput(f"--clear and --target {target} can't go together: leave one out")
    resources = open_resources()
    known = _known(resources, audit_id)
    if target is not None:
        thresholds.choose(resources, audit_id, target)
    if clear:
        thresholds.clear(resources, audit_id)
    now = thresholds.in_use(resources, audit_id)
    _answer(audit_id, known, now, as_json)
    if clear or target is not None:
        say(f"the groups follow when the audit is run again: by a worker, or `dinoseek audit run -c {now.collection}`")


def _known(resources: Resources, audit_id: int) -> Evidence | None:
    """None while the audit has no scores to go by, which is said."""
    why = labels.obstacle(resources, audit_id)
    if why is None:
        return thresholds.evidence(resources, audit_id)
    say(why, "yellow")
    return None


def _answer(audit_id: int, known: Evidence | None, now: InUse, as_json: bool) -> None:
    if as_json:
        print_json(_document(audit_id, known, now))
        return
    set_for = "the check's own" if now.target is None else f"set for a precision of {now.target:.0%}"
    rows = [("threshold", f"{now.score:.3f}, {set_for}"), *(_rows(known, now) if known else ())]
    print_table((f"audit {audit_id}", ""), rows)


def _rows(known: Evidence, now: InUse) -> list[tuple[str, str]]:
    rows = [
        ("pairs", f"{known.pairs:,}"),
        ("labels", f"{known.labels}: {known.copies} copies, {known.labels - known.copies} not; {known.unsure} unsure"),
    ]
    if (point := known.at(now.score)) is not None:
        rows.append(("precision", f"{point.precision:.1%} ({point.precision_low:.1%} to {point.precision_high:.1%})"))
        rows.append(("recall", f"{point.recall:.1%} ({point.recall_low:.1%} to {point.recall_high:.1%})"))
    return rows


def _document(audit_id: int, known: Evidence | None, now: InUse) -> dict[str, Any]:
    """`worth` is null above all labels; it and the counts are while there are no scores to go by."""
    counts = {name: known and getattr(known, name) for name in ("labels", "copies", "unsure", "pairs")}
    in_use = {"audit_id": audit_id, "threshold": now.score, "target": now.target}
    return in_use | counts | {"worth": known and known.at(now.score)}
