"""`dinoseek demo` and `up`: the page, with a worker beside it."""

import contextlib
import re
import threading
import webbrowser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.api.guard import LOOPBACK
from app.api.server import ANY_ADDRESS, listen, serve
from app.cli.fetching import fetch_or_say_why
from app.cli.ingest import wait_until_done
from app.cli.output import progress_bar, say, say_caveat
from app.cli.supervisor import kept_worker
from app.cli.worker import say_weaknesses
from app.errors import AppError, NotFound
from app.ingest import scan
from app.library import CollectionFacts, open_collection
from app.resources import Resources, open_resources
from app.samples import generate
from app.settings import AUTO_MODEL
from app.vision.architectures import BEST

SAMPLES = "samples"
SAMPLE_COUNTS = (40, 300)

demo_command = typer.Typer(pretty_exceptions_enable=False)
up_command = typer.Typer(pretty_exceptions_enable=False)

Port = Annotated[int | None, typer.Option(help="TCP port of the page; DINOSEEK_PORT, else 8501.")]
Host = Annotated[str | None, typer.Option(help="Address to serve on; this machine alone unless you say otherwise.")]


@demo_command.command()
def demo(
    photos: Annotated[Path | None, typer.Option(help="A folder of your own; without it, pictures are painted.")] = None,
    port: Port = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Everything from nothing: home, database, a worker, pictures, a page in the browser."""
    if photos is not None and not photos.is_dir():
        raise NotFound(f"--photos {photos} is no folder: give one with pictures in it")
    resources = open_resources()
    port = port or resources.settings.port
    listen(resources.settings.host, port).close()  # say that a port is taken before minutes of work
    if resources.settings.model == AUTO_MODEL:
        fetch_or_say_why(BEST, resources.settings.weights)
    facts = open_collection(resources, _collection_name(photos))
    say_caveat(facts.model)
    folders = [photos] if photos else _painted(resources)
    with kept_worker(resources.settings), _ingesting(resources, facts, folders):
        _serve(resources, None, port, browser, f"?collection={facts.name}")


@up_command.command()
def up(
    port: Port = None, host: Host = None, browser: Annotated[bool, typer.Option("--browser/--no-browser")] = False
) -> None:
    """Serve the page; when no broker is set, with a worker beside it."""
    resources = open_resources()
    say_weaknesses(resources)
    port = port or resources.settings.port
    listen(host or resources.settings.host, port).close()
    with kept_worker(resources.settings) if resources.settings.broker is None else contextlib.nullcontext():
        _serve(resources, host, port, browser)


def _collection_name(photos: Path | None) -> str:
    if photos is None:
        return SAMPLES
    return re.sub(r"[^\w .+-]|^[\W_]+", "-", photos.resolve().name).strip("-._ ")[:64] or "photos"


def _painted(resources: Resources) -> Iterator[Path]:
    """The samples' folder, each time with more in it: the first can be searched while the rest are painted."""
    folder = resources.settings.home / SAMPLES
    for count in SAMPLE_COUNTS:
        with progress_bar("pictures") as bar:
            task = bar.add_task("painting", total=count, rate="")
            generate(folder, count, on_progress=lambda done, _, bar=bar, task=task: bar.update(task, completed=done))
        yield folder


@contextlib.contextmanager
def _ingesting(resources: Resources, facts: CollectionFacts, folders: Iterable[Path]) -> Iterator[None]:
    """Read folders beside the page: the first pictures can be searched while the last are still coming."""

    def run() -> None:
        try:
            for folder in folders:
                scan.ingest(resources, [folder], facts.name)
            wait_until_done(resources, facts.name, None)
            say(f"all pictures of {facts.name} are searchable", "green")
        except AppError as refusal:
            say(str(refusal), "red")
        except OSError as trouble:
            say(f"reading stopped ({trouble}): start again to go on", "red")

    threading.Thread(target=run, name="ingest", daemon=True).start()
    yield


def _serve(resources: Resources, host: str | None, port: int, browser: bool, query: str = "") -> None:
    host = host or resources.settings.host
    shown = "127.0.0.1" if host in ANY_ADDRESS else host
    address = f"http://{shown}:{port}/{query}"

    def ready() -> None:
        if host not in LOOPBACK:
            say(f"listening on {host}: no password is asked, whoever reaches it sees the pictures", "yellow")
        say(f"dinoseek is at {address} (Ctrl-C ends it)", "bold")
        if browser:
            webbrowser.open(address)

    with contextlib.suppress(KeyboardInterrupt):  # how a person ends it
        serve(resources, host, port, on_ready=ready)
