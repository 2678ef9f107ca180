"""`dinoseek audit threshold`: from which score on pictures are copies, what labels say of it, and another one."""

from typing import Annotated, Any

import typer

from app.audits import thresholds
from app.audits.calibration import Point
from app.audits.thresholds import Evidence
from app.cli.output import JsonFlag, print_json, print_table, say
from app.errors import InvalidInput
from app.resources import open_resources


def threshold(
    audit_id: Annotated[
        int, typer.Argument(help="The audit's number, as `dinoseek audit list` names it.", metavar="ID")
    ],
    target: Annotated[
        float | None, typer.Option(help="Use the lowest threshold that surely has this precision, as 0.95.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Go back to the threshold that the check comes with.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """The threshold in use, and what your labels say of it. Pairs are labelled on the page of `dinoseek up`.

    dinoseek audit threshold 1 --target 0.95
    """
    resources = open_resources()
    if clear and target is not None:
        raise InvalidInput(f"--clear and --target {target} can't go together: leave one out")
    known = thresholds.evidence(resources, audit_id)
    if target is not None:
        thresholds.choose(resources, audit_id, target)
    if clear:
        thresholds.clear(resources, audit_id)
    changed = clear or target is not None
    now = thresholds.in_use(resources, audit_id)
    _answer(audit_id, known, now, as_json)
    if changed:
        say(f"the groups follow when the audit is run again: by a worker, or `dinoseek audit run -c {now.collection}`")


def _answer(audit_id: int, known: Evidence, now: thresholds.InUse, as_json: bool) -> None:
    point = known.at(now.score)
    if as_json:
        print_json(_document(audit_id, known, now, point))
        return
    set_for = "the check's own" if now.target is None else f"set for a precision of {now.target:.0%}"
    rows = [
        ("threshold", f"{now.score:.3f}, {set_for}"),
        (
            "labels",
            f"{known.labels}, of {known.pairs:,} pairs; {known.copies} say copies; {known.unsure} could not tell",
        ),
    ]
    if point is not None:
        rows.append(("precision", f"{point.precision:.1%} ({point.precision_low:.1%} to {point.precision_high:.1%})"))
        rows.append(("recall", f"{point.recall:.1%} ({point.recall_low:.1%} to {point.recall_high:.1%})"))
    print_table((f"audit {audit_id}", ""), rows)


def _document(audit_id: int, known: Evidence, now: thresholds.InUse, point: Point | None) -> dict[str, Any]:
    told = {name: getattr(known, name) for name in ("labels", "copies", "unsure", "pairs")}
    return {"audit_id": audit_id, "threshold": now.score, "target": now.target, **told, "worth": point}
