"""`dinoseek eval`: how good a model is, on pictures whose truth is known."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import JsonFlag, print_json, print_table, progress_bar, say_caveat
from app.cli.revisited import revisited
from app.cli.stages import Choice, step_by_step
from app.encoders import Encoders
from app.evaluation.folders import FolderReport, Progress, evaluate, find_exam
from app.settings import get_settings
from app.vision.decoder import Decoder

WORST_SHOWN = 10

eval_command = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)


eval_command.command()(revisited)


@eval_command.callback()
def root() -> None:
    """How good a model is, on pictures whose truth is known."""


@eval_command.command()
def folders(
    folder: Annotated[Path, typer.Argument(help="One subfolder per class: what belongs together.")],
    distractors: Annotated[list[Path], typer.Option(help="A folder of pictures that belong to no class.")] = [],  # noqa: B006
    model: Annotated[str | None, typer.Option(help="The encoder; see `dinoseek models list`.")] = None,
    preprocessing: Annotated[str | None, typer.Option(help="How pictures become squares; see docs/models.md.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, int8, bfloat16 or float16.")] = None,
    instances: Annotated[
        str | None, typer.Option(help="light or full: what each step of an instance search adds, as a table.")
    ] = None,
    apart: Annotated[
        list[str], typer.Option(help="With --instances: also score apart the subfolders whose names begin so.")
    ] = [],  # noqa: B006
    as_json: JsonFlag = False,
) -> None:
    """Every picture asks for the others of its subfolder, among all pictures there are.

    dinoseek eval folders ~/Pictures/same-things --distractors ~/Pictures/others
    """
    exam, settings = find_exam(folder, distractors), get_settings()
    if instances:
        step_by_step(exam, settings, Choice(model, preprocessing, precision, instances), apart, as_json)
        return
    encoder = Encoders(settings).named(model, preprocessing, precision)
    with Decoder(settings) as decoder, progress(len(exam)) as on_progress:
        report = evaluate(exam, decoder, encoder, on_progress)
    if as_json:
        print_json(report)
        return
    show(report)


@contextmanager
def progress(total: int) -> Iterator[Progress]:
    """A bar with the rate and the time that remains."""
    started = time.monotonic()
    with progress_bar("pictures") as bar:
        task = bar.add_task("embedding", total=total, rate="")

        def advance(done: int) -> None:
            bar.update(task, completed=done, rate=f"{done / (time.monotonic() - started):.1f}/s")

        yield advance


def show(report: FolderReport) -> None:
    """For people: the scores, the hardest classes, what could not be read."""
    rows = [
        ("model", report.model),
        ("preprocessing", report.preprocessing),
        ("precision", report.precision),
        ("queries", f"{report.queries:,} among {report.database:,} pictures"),
        ("mAP", f"{report.map:.4f}"),
        ("recall@1", f"{report.recall_at_1:.4f}"),
        ("recall@10", f"{report.recall_at_10:.4f}"),
        ("seconds", f"{report.seconds:.1f}"),
    ]
    print_table(("scores", ""), rows)
    worst = report.classes[:WORST_SHOWN]
    print_table(("hardest", "queries", "mAP"), [(row.name, row.queries, f"{row.map:.4f}") for row in worst])
    if report.unreadable:
        print_table(("left out", "why"), [(row.path, row.reason) for row in report.unreadable])
    say_caveat(report.model)
