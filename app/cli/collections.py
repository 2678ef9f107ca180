"""`dinoseek collections`: create, list, switch, delete, restore."""

from typing import Annotated

import typer

from app import library
from app.cli.output import JsonFlag, megabytes, print_json, print_table, say
from app.cli.switching import InstancesOption, switch
from app.library import CollectionFacts
from app.resources import open_resources

collections_command = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The collection's name.")]


@collections_command.command()
def create(
    name: Name,
    model: Annotated[str | None, typer.Option(help="The encoder; see `dinoseek models list`.")] = None,
    preprocessing: Annotated[str | None, typer.Option(help="How pictures become squares; see docs/models.md.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, int8, bfloat16 or float16.")] = None,
    instances: InstancesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make an empty collection, bound to one model."""
    kind = {"preprocessing": preprocessing, "precision": precision, "detail": instances}
    facts = library.create_collection(open_resources(), name, model, **kind)
    if as_json:
        print_json(facts)
        return
    say(f"{facts.name} is ready for pictures: `dinoseek ingest FOLDER -c {facts.name}` ({facts.model})")


@collections_command.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """Every collection with its model and counts."""
    rows = library.collections(open_resources())
    if as_json:
        print_json(rows)
        return
    columns = ("collection", "model", "instances", "pictures", "searchable", "waiting", "failed", "size")
    print_table(columns, [_row(facts) for facts in rows])
    if not rows:
        say("no collection yet: `dinoseek ingest FOLDER -c NAME` makes one")


def _row(facts: CollectionFacts) -> tuple:
    counts = (facts.images, facts.ready, facts.pending, facts.failed)
    return (facts.name, _model(facts), facts.instances, *counts, megabytes(facts.bytes))


def _model(facts: CollectionFacts) -> str:
    change = facts.change
    if change is None:
        return facts.model
    verb = "adding" if change.add_only else "changing to"
    return f"{facts.model}, {verb} {change.label}: {change.done:,} of {change.total:,}"


collections_command.command()(switch)


@collections_command.command()
def delete(name: Name, as_json: JsonFlag = False) -> None:
    """Take a collection out of sight. Nothing is erased: `collections restore` brings it back."""
    library.delete_collection(open_resources(), name)
    if as_json:
        print_json({"deleted": name})
        return
    say(f"{name} is out of sight; `dinoseek collections restore {name}` brings it back")


@collections_command.command()
def restore(name: Name, as_json: JsonFlag = False) -> None:
    """Bring back the collection of this name that was deleted last."""
    facts = library.restore_collection(open_resources(), name)
    if as_json:
        print_json(facts)
        return
    say(f"{facts.name} is back with {facts.ready} searchable pictures")
