"""`dinoseek models`: list, pull, check."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.fetching import fetch
from app.cli.output import JsonFlag, print_json, print_table, say
from app.errors import BadCheckpoint
from app.settings import get_settings
from app.vision import checkpoints
from app.vision.encoder import take_fingerprint
from app.vision.facts import ModelFacts, model_facts
from app.vision.fingerprint import shown
from app.vision.published import Source

FIRST_FEW = 3  # tensors named where a file differs

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
    name: Annotated[str, typer.Argument(help="A model's name or alias; a Hugging Face id means the file there.")],
    source: Annotated[Source | None, typer.Option(help="Whose file to fetch.")] = None,
    mirror: Annotated[
        str | None, typer.Option(help="Base address to fetch from instead; the file is checked all the same.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Fetch a model's published weights: resumed, checked against what is known of them, put in place in one step."""
    path = fetch(name, get_settings().weights, source, mirror)
    if as_json:
        print_json({"name": name, "path": str(path)})
        return
    say(f"{name} is ready: {path}")


@models_command.command()
def check(
    file: Annotated[Path, typer.Argument(help="A weights file, or a folder that holds one.")], as_json: JsonFlag = False
) -> None:
    """Say what a weights file holds: layout, variant, type of numbers, digest, missing and extra tensors.

    Exit code 1 when it can't be loaded.
    """
    facts = checkpoints.check(file)
    vector = take_fingerprint(facts.model, file) if facts.model else None
    if as_json:
        print_json({**vars(facts), "fingerprint": None if vector is None else [round(float(n), 6) for n in vector]})
    else:
        rows = [(name, _cell(value)) for name, value in vars(facts).items() if name != "path"]
        print_table((str(file), ""), [*rows, ("fingerprint", None if vector is None else shown(vector))])
    if facts.refusal is not None:
        raise BadCheckpoint(f"{file} can't be loaded: {facts.refusal}")


def _cell(value: Any) -> Any:
    """A list as its length and its first few."""
    if not isinstance(value, tuple):
        return value
    first = ", ".join(str(getattr(each, "name", each)) for each in value[:FIRST_FEW])
    return f"{len(value)}" + (f": {first}" if value else "") + (", …" if len(value) > FIRST_FEW else "")


def _state(row: ModelFacts) -> str:
    return row.weights if row.trained else f"{row.weights}, untrained"
