"""`dinoseek eval revisited`: the protocol of Revisited Oxford/Paris, from the images to the table."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import JsonFlag, print_json, print_table, progress_bar, say, say_caveat
from app.encoders import Encoders
from app.evaluation.kept import KeptVectors
from app.evaluation.protocol import SETUPS, SetupScores
from app.evaluation.revisited import Progress, RevisitedReport, evaluate, find_distractors, looks
from app.evaluation.truth import find_truth, read_truth
from app.settings import get_settings
from app.vision.decoder import Decoder
from app.vision.preprocessing import at_side

NAMED = 10  # pictures that could not be read; JSON has all of them
NO_BOXES = "Queries whole, as some published figures were made."


def revisited(
    folder: Annotated[Path, typer.Argument(help="Holds gnd_NAME.pkl or gnd_NAME.json, and the pictures in jpg/.")],
    truth: Annotated[Path | None, typer.Option(help="The truth, where there are several; jpg/ is beside it.")] = None,
    distractors: Annotated[list[Path], typer.Option(help="A folder of pictures that are right for no query.")] = [],  # noqa: B006
    model: Annotated[str | None, typer.Option(help="The encoder; see `dinoseek models list`.")] = None,
    preprocessing: Annotated[str | None, typer.Option(help="How pictures become squares; see docs/models.md.")] = None,
    side: Annotated[int | None, typer.Option(help="Its side in pixels, a multiple of 14.")] = None,
    scale: Annotated[list[float], typer.Option(help="Of that side; give several for their mean.")] = [1.0],  # noqa: B006
    whole_queries: Annotated[bool, typer.Option("--whole-queries", help=NO_BOXES)] = False,
    precision: Annotated[str | None, typer.Option(help="float32, int8, bfloat16 or float16.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Revisited Oxford/Paris, or any set in that layout: easy, medium and hard, mAP and mP@1, 5 and 10.

    What was embedded is kept: a second run is soon done, and one that was stopped goes on.

    dinoseek eval revisited roxford5k --model dinov2_vits14 --preprocessing inside224-v1 --side 448
    """
    exam, settings = read_truth(truth or find_truth(folder)), get_settings()
    others, encoders = find_distractors(exam, distractors), Encoders(settings)
    chosen = encoders.preprocessing(model, preprocessing)
    views = looks(chosen if side is None else at_side(chosen, side), scale)
    encoder = encoders.named(model, views.preprocessing, precision)
    with Decoder(settings) as decoder, KeptVectors(settings.home, settings.max_file_bytes) as kept, bars() as told:
        report = evaluate(
            exam, views, decoder, encoder, kept, distractors=others, query_boxes=not whole_queries, on_progress=told
        )
    if as_json:
        print_json(report)
    else:
        show(report)
    name_missing(report)


@contextmanager
def bars() -> Iterator[Progress]:
    """A bar for each step, with its rate and the time that remains."""
    tasks: dict[str, tuple[int, float]] = {}
    with progress_bar("pictures") as bar:

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total, rate=""), time.monotonic()
            task, started = tasks[stage]
            bar.update(task, completed=done, rate=f"{done / max(time.monotonic() - started, 1e-3):.1f}/s")

        yield advance


def show(report: RevisitedReport) -> None:
    """For people: what was measured, and the table of the protocol in per cent."""
    rows = [
        ("set", report.set),
        ("model", report.model),
        ("preprocessing", f"{report.preprocessing}, at scales {', '.join(f'{scale:g}' for scale in report.scales)}"),
        ("precision", report.precision),
        ("queries", f"{report.queries:,}, {'cut to their boxes' if report.query_boxes else 'whole'}"),
        ("database", f"{report.database:,} pictures, {report.distractors:,} of them distractors"),
        ("vectors", f"{report.embedded:,} made, {report.kept:,} kept from before"),
        ("seconds", f"{report.seconds:.1f}"),
    ]
    print_table(("protocol", ""), rows)
    setups = [(name, getattr(report, name)) for name in SETUPS]
    print_table(("%", "queries", "mAP", "mP@1", "mP@5", "mP@10"), [(name, *_cells(scores)) for name, scores in setups])
    say_caveat(report.model)


def name_missing(report: RevisitedReport) -> None:
    """One line a picture on standard error, and what it means for the figures."""
    for row in report.unreadable[:NAMED]:
        say(f"{row.path}: {row.reason}", "yellow")
    if report.unreadable:
        more = f" ({len(report.unreadable) - NAMED:,} of them not named)" if len(report.unreadable) > NAMED else ""
        say(
            f"pictures that could not be read: {report.missing:,}{more}; these are no figures of the whole set",
            "yellow",
        )


def _cells(scores: SetupScores) -> list[str]:
    means = (scores.map, scores.mp_at_1, scores.mp_at_5, scores.mp_at_10)
    return [f"{scores.queries:,}", *("–" if mean is None else f"{100 * mean:.2f}" for mean in means)]
