"""Fetch a model's weights with a bar, or say in a sentence why they can't be had."""

from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from app.cli.output import err, say
from app.errors import WeightsUnavailable
from app.vision.architectures import FALLBACK, get_architecture
from app.vision.fetch import pull
from app.vision.models import find_weights
from app.vision.published import Source, source_meant


def fetch(name: str, weights_dir: Path, source: Source | None = None, base_url: str | None = None) -> Path:
    """The weights' file, fetched unless it is here. Raises NotFound, InvalidInput, WeightsUnavailable."""
    architecture = get_architecture(name)
    source = source or source_meant(architecture, name)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task(name, total=None)

        def show(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        return pull(architecture, weights_dir, show, source=source, base_url=base_url)


def fetch_or_say_why(name: str, weights_dir: Path) -> None:
    """For a demo, which goes on without."""
    if find_weights(get_architecture(name), weights_dir) is not None:
        return
    try:
        fetch(name, weights_dir)
    except WeightsUnavailable as refusal:
        say(str(refusal), "yellow")
        say(f"Going on without: set DINOSEEK_MODEL={FALLBACK} to not try again.")
