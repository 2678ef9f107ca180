"""An audit written to a file: a report to read, a table, or the document that scripts read. By the file's suffix."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.audits.showing import answers, listing, report
from app.audits.showing.listing import ListedFile, ListedGroup
from app.errors import AlreadyExists, InvalidInput
from app.resources import Resources
from app.storage import writing

Form = Callable[[Resources, int, BinaryIO], None]
COLUMNS = (
    "group_id",
    "group_tier",
    "weakest",
    "settled",
    "role",
    "tier",
    "relation",
    "score",
    "path",
    "size_bytes",
    "width_px",
    "height_px",
    "format",
    "taken_at",
    "reason",
    "loses",
    "marked",
    "linked",
    "image_id",
    "digest",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet may run begins with one of these


@dataclass(frozen=True)
class Written:
    audit_id: int
    file: str  # its path, absolute
    groups: int
    bytes: int


def write(resources: Resources, audit_id: int, path: Path, *, replace: bool = False) -> Written:
    """Write an audit to a file, whole or not at all; `replace` one that is there.

    Raises InvalidInput for a suffix that is not known or a folder that is not there, AlreadyExists, NotFound,
    ServiceUnavailable when the disk won't take it.
    """
    form = _form(path, replace)
    groups = listing.overview(resources, audit_id).groups
    with writing(path) as file:
        form(resources, audit_id, file)
        size_bytes = file.tell()
        _form(path, replace)  # it may have come meanwhile
    return Written(audit_id, str(path.absolute()), groups, size_bytes)


def _form(path: Path, replace: bool) -> Form:
    """How to write it, once it may be written."""
    form = FORMS.get(path.suffix.lower())
    if form is None:
        raise InvalidInput(f"{path.name!r} names no form of an export: end it in {', '.join(FORMS)}")
    if path.is_dir() or not path.parent.is_dir():
        raise InvalidInput(f"{path} can't be written: name a file in a folder that is there")
    if path.exists() and not replace:
        raise AlreadyExists(f"{path} is there already: choose another name, or replace it with --force")
    return form


def _html(resources: Resources, audit_id: int, file: BinaryIO) -> None:
    for part in report.parts(resources, audit_id):
        file.write(part.encode("utf-8", "replace"))


def _csv(resources: Resources, audit_id: int, file: BinaryIO) -> None:
    """One row for each file of a group. With a mark that makes spreadsheets read it as UTF-8."""
    text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for tally in listing.overview(resources, audit_id).tallies:
        for group in listing.groups(resources, audit_id, tally.tier):
            writer.writerows([_cell(value) for value in _row(group, one)] for one in group.files)
    text.detach()  # written, and the file stays open


def _row(group: ListedGroup, one: ListedFile) -> tuple:
    return (
        *(group.group_id, group.tier, f"{group.weakest:.4f}", "yes" if group.settled else ""),
        *(one.role, one.tier or "", " ".join(one.relations), f"{one.score:.4f}"),
        *(one.path or "", one.size_bytes, one.width_px, one.height_px, one.format or ""),
        one.taken_at.isoformat(" ") if one.taken_at else "",
        *(one.reason, "; ".join(one.loses), "yes" if one.marked else "", "yes" if one.linked else ""),
        *(one.image_id, one.digest),
    )


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _json(resources: Resources, audit_id: int, file: BinaryIO) -> None:
    for part in _document(resources, audit_id):
        file.write(part.encode("utf-8", "replace"))


def _document(resources: Resources, audit_id: int) -> Iterator[str]:
    """As `audit show --json`, group by group."""
    outline = answers.outline(resources, audit_id)
    before, after = json.dumps(outline | {"groups": []}, ensure_ascii=False).split('"groups": []', 1)
    yield f'{before}"groups": ['
    for number, group in enumerate(answers.each_group(resources, audit_id)):
        yield (",\n" if number else "\n") + json.dumps(group, ensure_ascii=False)
    yield f"]{after}\n"


FORMS: dict[str, Form] = {".html": _html, ".csv": _csv, ".json": _json}
