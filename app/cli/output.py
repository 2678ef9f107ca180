"""What every command prints with: JSON alone on standard output, people's words and progress on standard error."""

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from app.vision.architectures import BEST
from app.vision.models import caveat

BAR_CHARS = 22  # leaves room for counts, rate and time on a terminal of 80
WIDE_CHARS = 120  # a terminal from here on has room for more words behind a bar
PIPED_COLUMNS = 1000  # a table that goes to a file or another program is not cut to a screen that isn't there

out = Console(width=None if sys.stdout.isatty() else PIPED_COLUMNS)
err = Console(stderr=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")]
AuditId = Annotated[int, typer.Argument(help="The audit's number, as `dinoseek audit list` names it.", metavar="ID")]
CollectionOption = Annotated[str, typer.Option("--collection", "-c", help="The collection's name.")]


def say(words: str, style: str | None = None) -> None:
    """One line on standard error as it stands: unbroken in a file, and a folder called [red] is no colour."""
    err.print(words, style=style, markup=False, soft_wrap=True)


def say_caveat(model: str) -> None:
    """On standard error, what an answer of this model is worth, and how to get a better one."""
    said = caveat(model)
    if said is not None:
        say(f"{said.what}: {said.limit}; `dinoseek models pull {BEST}`", "yellow")


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Cells stand as they are: a folder may be called [red], or [/]. Who wants colour gives a Text."""
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _cell(value: Any) -> Text:
    return value if isinstance(value, Text) else Text("" if value is None else str(value))


def progress_bar(unit: str, *left: ProgressColumn) -> Progress:
    """A bar with counts and the time that remains, on standard error; `left`: what says so in place of Rich's guess."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<12}"),
        BarColumn(BAR_CHARS),
        MofNCompleteColumn(),
        TextColumn(unit + " {task.fields[rate]}"),
        *(left or (TimeRemainingColumn(),)),
        console=err,
    )


def rate(per_s: float | None) -> str:
    return "" if per_s is None else f"{per_s:.1f}/s"


def megabytes(count: int | None) -> str:
    return "" if count is None else f"{count / 1e6:,.1f} MB"
