"""`dinoseek doctor`: what is configured, from where, whether it works, and what to do where it doesn't."""

import typer
from rich.text import Text

from app import doctor
from app.cli.output import JsonFlag, out, print_json, print_table

doctor_command = typer.Typer(pretty_exceptions_enable=False)
MARKS = {"ok": Text("✓", "green"), "warning": Text("!", "yellow"), "failed": Text("✗", "red")}


@doctor_command.command("doctor")
def doctor_(as_json: JsonFlag = False) -> None:
    """Check every part. Exit code 1 when one doesn't work."""
    settings, checks = doctor.settings_in_force(), list(doctor.run_checks())
    if as_json:
        print_json({"settings": settings, "checks": checks})
    else:
        print_table(("setting", "value", "from"), [(row.name, row.value, row.source) for row in settings])
        out.print()
        print_table(("", "part", "state", "way out"), [(MARKS[c.state], c.part, c.finding, c.remedy) for c in checks])
    if any(check.state == "failed" for check in checks):
        raise typer.Exit(1)
