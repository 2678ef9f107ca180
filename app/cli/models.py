"""`dinoseek models`: list, pull, check."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.fetching import fetch
from app.cli.output import JsonFlag, err, print_json, print_table
from app.errors import NotFound
from app.settings import get_settings
from app.vision import checkpoints
from app.vision.facts import ModelFacts, model_facts
from app.vision.fetch import OFFICIAL_BASE

models_command = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)


@models_command.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """The encoders, their size, and whether their weights are here."""
    rows = model_facts(get_settings().weights)
    if as_json:
        print_json(rows)
        return
    columns = ("name", "dim", "depth", "registers", "params", "MACs at 518²", "weights")
    print_table(
        columns,
        [(r.name, r.dim, r.depth, r.registers, f"{r.params_m} M", f"{r.macs_g_518} G", _state(r)) for r in rows],
    )


@models_command.command()
def pull(
    name: Annotated[str, typer.Argument(help="A model's name or alias.")],
    mirror: Annotated[
        str, typer.Option(help="Base address to fetch from; the SHA-256 is checked all the same.")
    ] = OFFICIAL_BASE,
    as_json: JsonFlag = False,
) -> None:
    """Fetch a model's official weights: resumed, checked against their SHA-256, put in place in one step."""
    path = fetch(name, get_settings().weights, mirror)
    if as_json:
        print_json({"name": name, "path": str(path)})
        return
    err.print(f"{name} is ready: {path}", markup=False)


@models_command.command()
def check(file: Annotated[Path, typer.Argument(help="A weights file.")], as_json: JsonFlag = False) -> None:
    """Say what a weights file holds: layout, variant, type of numbers, digest, missing and extra tensors."""
    if not file.is_file():
        raise NotFound(f"{file} is no file: give the path of a weights file")
    facts = checkpoints.check(file)
    if as_json:
        print_json(facts)
        return
    print_table((str(file), ""), vars(facts).items())


def _state(row: ModelFacts) -> str:
    return row.weights if row.trained else f"{row.weights}, untrained"
