"""`dinoseek`: the commands, and what becomes of an error. Exit codes: 0 done, 1 refused in one line, 2 wrong usage."""

import importlib
import logging
import os
import signal
import sys
import tempfile
import traceback
from importlib.metadata import version
from typing import Annotated

import typer
from typer.core import TyperGroup

from app.errors import AppError

# Command modules are imported when asked for: `dinoseek --help` need not wait for the others' libraries.
COMMANDS = {
    "demo": ("app.cli.serve", "Everything from nothing: pictures in, a worker, a page in the browser."),
    "up": ("app.cli.serve", "Serve the page; without a broker, with a worker."),
    "worker": ("app.cli.worker", "A worker for each device of this machine, started again when it dies."),
    "models": ("app.cli.models", "The encoders: list, pull, check."),
    "collections": ("app.cli.collections", "Collections: create, list, switch, delete, restore."),
    "ingest": ("app.cli.ingest", "Put folders and files of pictures into a collection."),
    "progress": ("app.cli.progress", "How far a collection is, how fast it goes, and what holds it up."),
    "workers": ("app.cli.workers", "The workers alive: device, model, pictures a second, where their time goes."),
    "failures": ("app.cli.failures", "Pictures that were refused or set aside, why, and another try for them."),
    "search": ("app.cli.search", "Find the pictures that look like one."),
    "audit": ("app.cli.audit", "Find copies, see why, decide, move them aside and back."),
    "embed": ("app.cli.embed", "Vectors of pictures, into a NumPy file."),
    "eval": ("app.cli.evaluate", "How good a model is on pictures whose truth is known."),
    "index": ("app.cli.index", "A collection's index: status, build, verify."),
    "doctor": ("app.cli.doctor", "What is configured, what works, what to do about the rest."),
}
REFUSED = 1


class LazyCommands(TyperGroup):
    """A group whose commands live in modules that are imported on use."""

    def list_commands(self, ctx) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx, name: str):
        if name not in COMMANDS:
            return None
        module, _ = COMMANDS[name]
        return typer.main.get_command(getattr(importlib.import_module(module), f"{name}_command"))

    def format_commands(self, ctx, formatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


dinoseek = typer.Typer(
    cls=LazyCommands,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"dinoseek {version('dinoseek')}")
        raise typer.Exit


@dinoseek.callback()
def root(
    show: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """dinoseek finds pictures by looking at them."""


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    if sys.flags.optimize:
        sys.exit("dinoseek: python -O removes checks that libraries below rely on: run without it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers of ours are stopped in order
    try:
        dinoseek()
    except AppError as refusal:
        sys.exit(_refuse(str(refusal)))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os._exit(0)  # the reader of our output has gone
    except Exception as error:  # noqa: BLE001  (a person never sees a traceback; it goes to a file)
        sys.exit(_refuse(f"something unexpected happened ({type(error).__name__}: {error}); see {_keep_traceback()}"))


def _refuse(message: str) -> int:
    print(f"dinoseek: {' '.join(message.split())}", file=sys.stderr)
    return REFUSED


def _keep_traceback() -> str:
    """Where it is; the disk may be what failed."""
    try:
        descriptor, name = tempfile.mkstemp(prefix="dinoseek-", suffix=".log")
        with os.fdopen(descriptor, "w") as file:
            traceback.print_exc(file=file)
    except OSError as error:
        return f"nothing more: there is no room for details ({error.strerror})"
    return name
