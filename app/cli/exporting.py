"""`dinoseek audit export`: an audit as a file to read, to calculate with, or for a script."""

from pathlib import Path
from typing import Annotated

import typer

from app.audits.showing import export as exporting
from app.cli.output import AuditId, JsonFlag, err, megabytes, print_json, say
from app.resources import open_resources

FORMS = ", ".join(exporting.FORMS)


def export(
    audit_id: AuditId,
    file: Annotated[Path, typer.Argument(help=f"Where it goes; its end says in what form: {FORMS}.", metavar="FILE")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write an audit to a file: a page with pictures, a table, or what `audit show --json` says.

    dinoseek audit export 1 copies.html
    """
    with err.status("writing"):
        written = exporting.write(open_resources(), audit_id, file, replace=force)
    if as_json:
        print_json(written)
        return
    say(f"{written.file}: {written.groups:,} groups, {megabytes(written.bytes)}")
