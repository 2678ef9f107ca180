"""`dinoseek failures`: what was refused or set aside, why, and another try for it."""

from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.output import CollectionOption, JsonFlag, print_json, print_table, say
from app.ingest import failures as refusals
from app.resources import open_resources

failures_command = typer.Typer(pretty_exceptions_enable=False)


@failures_command.command()
def failures(
    collection: CollectionOption,
    code: Annotated[str | None, typer.Option(help="Only those with this short word, such as truncated.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many are listed; all are counted.")] = 50,
    retry: Annotated[bool, typer.Option("--retry", help="Give them their attempts back.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Pictures that were refused or set aside: counts by reason, then each with its path.

    What is listed and counted is how it was before --retry.

    dinoseek failures -c photos --code vanished --retry
    """
    resources = open_resources()
    counts = refusals.counts(resources, collection)
    if code is not None:
        refusals.check_code(code, counts)
        counts = {code: counts[code]}
    listed = refusals.failures(resources, collection, code, limit=limit)
    retried = refusals.retry(resources, collection, code) if retry else 0
    if as_json:
        print_json(_document(collection, counts, listed, retried))
        return
    _show(collection, counts, listed)
    if retry:
        say(f"{retried:,} get another try: `dinoseek progress -c {collection}` says how far they are")


def _document(
    collection: str, counts: dict[str, int], listed: list[refusals.Failure], retried: int
) -> dict[str, object]:
    rows = [asdict(failure) for failure in listed]
    for row in rows:
        row.pop("digest")
    return {
        "collection": collection,
        "failed": sum(counts.values()),
        "codes": counts,
        "failures": rows,
        "retried": retried,
    }


def _show(collection: str, counts: dict[str, int], listed: list[refusals.Failure]) -> None:
    if not counts:
        say(f"{collection}: no picture was refused or set aside")
        return
    print_table(("pictures", "code"), [(f"{number:,}", code) for code, number in counts.items()])
    if not listed:
        return
    print_table(("refused", "code", "why", "attempts"), [(f.path, f.error, f.reason, f.attempts) for f in listed])
    if (more := sum(counts.values()) - len(listed)) > 0:
        say(f"… and {more:,} more: --limit lists them")
