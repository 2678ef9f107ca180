"""`dinoseek audit decisions`: what was said of pictures on the page, and the way back from each word."""

from datetime import datetime
from itertools import islice
from typing import Annotated

import typer

from app.audits.grouping import decisions as deciding
from app.audits.showing import said
from app.audits.showing.said import DecisionFacts
from app.cli.output import AuditId, JsonFlag, print_json, print_table, say
from app.resources import open_resources

SHOWN = 50  # of a table; --json has all


def decisions(
    audit_id: AuditId,
    take_back: Annotated[
        list[int] | None, typer.Option(help="Take this one back, by its number here; the groups follow at once.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """What you said of pictures of this audit, the newest first: different, both kept, same scene.

    dinoseek audit decisions 1 --take-back 7
    """
    resources = open_resources()
    for number in take_back or ():
        deciding.take_back(resources, audit_id, number)
    found = said.each(resources, audit_id)
    if as_json:
        print_json([_document(one) for one in found])
        return
    first = list(islice(found, SHOWN + 1))
    print_table(("decision", "when", "word", "of", "and"), [_row(one) for one in first[:SHOWN]])
    if len(first) > SHOWN:
        say("and more: --json tells all")


def _document(one: DecisionFacts) -> dict:
    pictures = [{"digest": picture.digest, "path": picture.path} for picture in (one.first, one.second)]
    return {"id": one.id, "word": one.word, "decided_at": one.decided_at, "pictures": pictures}


def _row(one: DecisionFacts) -> tuple:
    when = datetime.fromtimestamp(one.decided_at).strftime("%Y-%m-%d %H:%M")
    return one.id, when, one.word, *(picture.path or picture.name for picture in (one.first, one.second))
