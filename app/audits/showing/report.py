"""A duplicate audit as one HTML file that a person can send: pictures inside, no script, nothing fetched.

It is made in parts, a page of groups at a time. A policy in the page itself allows the pictures that it brings along
and its own style, and nothing else: whatever a file is called, it can only be shown.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from html import escape
from itertools import chain, islice
from pathlib import Path, PurePath

from app.audits.grouping.rules import RULES, Rules
from app.audits.showing import listing
from app.audits.showing.listing import ListedFile, ListedGroup, ListedMove, Overview
from app.audits.showing.members import same_bytes
from app.catalog.reports import Tally
from app.catalog.states import AuditStatus, Role, Tier, Word
from app.errors import ServiceUnavailable
from app.resources import Resources
from app.vision import thumbnails

NOTHING = "No two of these pictures are copies of each other."
PICTURES = 5000  # brought along, some 50 MB: a file ten times as large opens in no browser
GROUPS = 5000  # of a tier; a page of more is slow to scroll
PICTURE_PX = 240  # long side, some 8 kB
MOVES = 5000  # listed; the ledger itself has all
TITLES = {
    Tier.IDENTICAL: ("Identical files", "The same bytes at several places."),
    Tier.SAME_PIXELS: ("Same pixels", "The same picture to the last pixel, in another file: other metadata or format."),
    Tier.EDITED: (
        "Edited copies",
        "Made from one picture: resized, recompressed, recoloured, cropped, turned, overlaid.",
    ),
    Tier.SAME_SCENE: ("Same scene", "Other shots of the same moment or thing. These are no copies; nothing is freed."),
    Tier.DIFFERENT: ("Different", "No copies of each other."),
    Tier.UNREADABLE: ("Unreadable", "Pictures that could not be looked at."),
}
DECIDED = {
    Word.DIFFERENT: "different",
    Word.KEEP_BOTH: "copies, both kept",
    Word.SAME_SCENE: "same scene",
    Word.COPIES: "copies",
}
CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "�")  # a name may hold anything
UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass
class Pictures:
    """Thumbnails as addresses that hold the picture itself, as long as there is room for more."""

    resources: Resources
    left: int

    def frame(self, file: ListedFile) -> str:
        """The picture, or the words in its place; nothing once the report is full."""
        if not self.left:
            return ""
        data = self._data(file.digest)
        if data is None:
            return '<div class="frame">no preview</div>'
        self.left -= 1
        encoded = base64.b64encode(data).decode()
        return f'<div class="frame"><img src="data:image/webp;base64,{encoded}" alt="" loading="lazy"></div>'

    def _data(self, digest: str) -> bytes | None:
        try:
            path = self.resources.storage.find_thumbnail(digest)
            return None if path is None else thumbnails.smaller(path.read_bytes(), PICTURE_PX)
        except (OSError, ServiceUnavailable):  # gone meanwhile, damaged, or the store is away: the report has its words
            return None


def parts(resources: Resources, audit_id: int) -> Iterator[str]:
    """The report, piece by piece; joined they are one HTML document."""
    facts, left = listing.overview(resources, audit_id), PICTURES
    yield _head(facts)
    for number, tally in enumerate(facts.tallies):
        pictures = Pictures(resources, left // (len(facts.tallies) - number))  # a tier leaves room for those after it
        before = pictures.left
        yield from _tier(resources, audit_id, tally, pictures)
        left -= before - pictures.left
    if not facts.groups:
        yield f'<section><h2>No duplicates</h2><p class="dim">{NOTHING}</p></section>'
    yield from _moves(listing.moves(resources, audit_id))
    yield "</body></html>\n"


def _tier(resources: Resources, audit_id: int, tally: Tally, pictures: Pictures) -> Iterator[str]:
    title, meaning = TITLES[tally.tier]
    yield f'<section><h2 id="{tally.tier}">{title}</h2><p class="dim">{meaning}</p>\n'
    yield from (_group(group, pictures) for group in islice(listing.groups(resources, audit_id, tally.tier), GROUPS))
    if tally.groups > GROUPS:
        yield f'<p class="dim">These are the {GROUPS:,} groups that free most; the export as .csv has all.</p>\n'
    elif not pictures.left:
        yield '<p class="dim">There was no room for more pictures: the last files are listed without.</p>\n'
    yield "</section>\n"


@cache
def _style() -> str:
    return Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _head(facts: Overview) -> str:
    title = f"Duplicates in {facts.collection}"
    if facts.against:
        title += f" and {facts.against}"
    state = "" if facts.status is AuditStatus.DONE else f"{facts.status}: these are the groups so far"
    about = _line(_when(facts.done_at), f"audit {facts.audit_id}", facts.model, state)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{_style()}</style></head><body>\n"
        f'<header><h1>{_text(title)}</h1><p class="dim">{about}</p>'
        f"</header>{_totals(facts)}{_tallies(facts)}{_how(facts)}\n"
    )


def _totals(facts: Overview) -> str:
    pairs = (
        ("Pictures", f"{facts.images:,}"),
        ("Pairs looked at", f"{facts.pairs_checked:,}"),
        ("Groups", f"{facts.groups:,}"),
        ("Could be freed", _size(facts.reclaimable_bytes)),
    )
    return f'<dl class="facts">{"".join(f"<div><dt>{term}</dt><dd>{value}</dd></div>" for term, value in pairs)}</dl>'


def _tallies(facts: Overview) -> str:
    if not facts.tallies:
        return ""
    rows = "".join(
        f'<tr><td><a href="#{tally.tier}">{TITLES[tally.tier][0]}</a></td><td class="n">{tally.groups:,}</td>'
        f'<td class="n">{tally.files:,}</td><td class="n">{_size(tally.reclaimable_bytes)}</td></tr>'
        for tally in facts.tallies
    )
    heads = '<th>Tier</th><th class="n">Groups</th><th class="n">Files</th><th class="n">Could be freed</th>'
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _how(facts: Overview) -> str:
    """By what the file to keep was chosen, and what a person said."""
    return "".join((_order(facts.rules), _threshold(facts), _decided(facts.decided)))


def _order(rules: Rules) -> str:
    order = "".join(f"<li>{_text(RULES[name].means)}</li>" for name in rules.order)
    named = [("Preferred", folder) for folder in rules.folders] + [("Protected", folder) for folder in rules.protected]
    places = "".join(f"<li>{word}: <bdi>{_text(folder)}</bdi></li>" for word, folder in named)
    return (
        "<details><summary>How the file to keep was chosen</summary>"
        f"<p>Of each group the file stays that is first by these rules, in their order:</p><ol>{order}</ol>"
        + (f"<ul>{places}</ul></details>" if places else "</details>")
    )


def _threshold(facts: Overview) -> str:
    if facts.threshold is None:
        return ""
    said = f"Pictures are called copies from a score of {facts.threshold:.3f} on"
    return f"<p>{said}, set from labelled pairs for a precision of {facts.target:.0%}.</p>"


def _decided(decided: dict[Word, int]) -> str:
    said = ", ".join(f"{DECIDED[word]}: {_count(number, 'pair')}" for word, number in decided.items())
    return f"<p>Decided by a person: {said}.</p>" if said else ""


def _group(group: ListedGroup, pictures: Pictures) -> str:
    freed = f"{_size(group.reclaimable_bytes)} could be freed" if group.reclaimable_bytes else ""
    weakest = "" if group.tier is Tier.IDENTICAL else f"weakest match {group.weakest:.2f}"
    settled = "settled" if group.settled else ""
    facts = _line(_count(len(group.files), "file"), weakest, freed, settled)
    files = "".join(_file(file, group.files[0].digest, pictures) for file in group.files)
    return (
        f'<article class="group"><header><h3>Group {group.group_id}</h3><span>{facts}</span></header>'
        f'<ul class="files">{files}</ul></article>\n'
    )


def _file(file: ListedFile, kept: str, pictures: Pictures) -> str:
    frame = pictures.frame(file)
    kind = "keeper" if file.role is Role.KEEPER else "duplicate"
    word = "other shot" if file.tier is Tier.SAME_SCENE else kind
    relation, path = _relation(file, kept), PurePath(file.path) if file.path else None
    name = _text(path.name) if path else "moved or deleted since"
    loses = f'<p class="loses">has what the kept file lacks: {_text(", ".join(file.loses))}</p>' if file.loses else ""
    return (
        f'<li class="{kind}{"" if frame else " without"}">{frame}<span class="role">{word}</span>{relation}'
        f'<p class="name"><bdi>{name}</bdi></p><p class="dim"><bdi>{_text(str(path.parent)) if path else ""}</bdi></p>'
        f"<p>{_facts(file)}</p><p>{_text(file.reason)}</p>{loses}"
        f"{'<p><b>marked for quarantine</b></p>' if file.marked else ''}</li>"
    )


def _relation(file: ListedFile, kept: str) -> str:
    if file.role is Role.KEEPER:
        return ""
    if same := same_bytes(file.tier, file.digest, kept):
        return _text(same)
    words = ", ".join(name.replace("_", " ") for name in file.relations) or (file.tier or "").replace("_", " ")
    return _text(words) + f' <span class="dim">{file.score:.2f}</span>'


def _facts(file: ListedFile) -> str:
    sides = f"{file.width_px} × {file.height_px} px" if file.width_px and file.height_px else ""
    size = "" if file.size_bytes is None else _size(file.size_bytes)
    taken = "" if file.taken_at is None else f"taken {file.taken_at:%Y-%m-%d %H:%M}"
    return _line(sides, size, file.format or "", taken)


def _moves(moves: Iterator[ListedMove]) -> Iterator[str]:
    """What was moved so far; nothing where nothing was."""
    first = next(moves, None)
    if first is None:
        return
    heads = '<th>File</th><th>State</th><th class="n">Size</th><th class="wide">When</th>'
    yield f"<section><h2>What was moved</h2><table><thead><tr>{heads}</tr></thead><tbody>\n"
    yield from (_move(move) for move in chain([first], islice(moves, MOVES - 1)))
    if next(moves, None) is not None:
        yield f'<tr><td colspan="4">Only the first {MOVES:,} are listed.</td></tr>\n'
    yield "</tbody></table></section>\n"


def _move(move: ListedMove) -> str:
    state = _text(move.state + (f": {move.reason}" if move.reason else ""))
    when = _when(move.restored_at or move.moved_at)
    return (
        f"<tr><td><bdi>{_text(move.path)}</bdi></td><td>{state}</td>"
        f'<td class="n">{_size(move.size_bytes)}</td><td class="wide">{when}</td></tr>\n'
    )


def _text(text: str) -> str:
    """Of a stranger, as it may stand in the page."""
    return escape(text.translate(CONTROLS))


def _line(*words: str) -> str:
    return " · ".join(_text(word) for word in words if word)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _when(moment_s: float | None) -> str:
    return "" if moment_s is None else f"{datetime.fromtimestamp(moment_s, UTC):%Y-%m-%d %H:%M} UTC"


def _size(count: int) -> str:
    value, unit = float(count), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {UNITS[unit]}" if unit < 2 or value >= 10 else f"{value:.1f} {UNITS[unit]}"
