"""The parts drawn by our own browser code: grids and viewers, query picture, examples, uploader, shelf, groups."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st

STATIC = Path(__file__).parent / "static"


@cache
def read(*names: str) -> str:
    """Static files joined in the order given; read once per process."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def _part(name: str, html: str, css: tuple[str, ...], js: tuple[str, ...]):
    return st.components.v2.component(f"dinoseek.{name}", html=read(html), css=read(*css), js=read(*js))


_gallery = _part("gallery", "gallery.html", ("gallery.css", "viewer.css"), ("tiles.js", "gallery.js", "viewer.js"))
_sightings = _part(
    "sightings",
    "gallery.html",
    ("gallery.css", "viewer.css", "sightings.css"),
    ("tiles.js", "gallery.js", "lines.js", "evidence.js"),
)
_examples = _part("examples", "examples.html", ("examples.css",), ("send.js", "tiles.js", "examples.js"))
_picker = _part("picker", "picker.html", ("picker.css",), ("send.js", "picker.js"))
_uploader = _part("uploader", "uploader.html", ("uploader.css",), ("send.js", "uploader.js"))
_shelf = _part("shelf", "gallery.html", ("shelf.css",), ("shelf.js",))
_groups = _part(
    "groups",
    "groups.html",
    ("gallery.css", "groups.css", "compare.css"),
    ("tiles.js", "acts.js", "groups.js", "compare.js"),
)


def gallery(
    key: str, tiles: list[dict], *, query: dict | None = None, click: str, on_like: Callable[[int], None]
) -> None:
    """A page of pictures in one render. `click` is what a click on a picture does: `open` it large, or `like`.

    `on_like` gets the id of the picture that more is wanted like.
    """
    data = {"tiles": tiles, "query": query, "click": click, "likeLabel": "More like this"}
    _gallery(key=key, data=data, on_like_change=lambda: on_like(int(_sent(key, "like"))))


def sightings(
    key: str,
    tiles: list[dict],
    *,
    examples: list[dict],
    on_like: Callable[[int], None],
    on_unlike: Callable[[int], None],
) -> None:
    """A page of pictures with a thing outlined in each; a click lays one beside an example and draws what agrees.

    `on_like` gets the id of the picture that becomes an example too, `on_unlike` of one that shows what is not meant.
    """
    data = {"tiles": tiles, "query": examples, "click": "open", "likeLabel": "Use as an example"}
    _sightings(
        key=key,
        data=data,
        on_like_change=lambda: on_like(int(_sent(key, "like"))),
        on_unlike_change=lambda: on_unlike(int(_sent(key, "unlike"))),
    )


def examples(
    key: str,
    examples: list[dict],
    *,
    url: str,
    ticket: str,
    max_bytes: int,
    hand: int,
    full: bool,
    on_chosen: Callable[[int], None],
    on_swapped: Callable[[int], None],
    on_removed: Callable[[int], None],
    on_added: Callable[[str], None],
) -> None:
    """Examples as a row of small pictures; all but `on_added`, which gets a digest, get an example's place."""
    data = {"url": url, "ticket": ticket, "maxBytes": max_bytes, "examples": examples, "hand": hand, "full": full}
    _examples(
        key=key,
        data=data,
        on_chosen_change=lambda: on_chosen(int(_sent(key, "chosen"))),
        on_swapped_change=lambda: on_swapped(int(_sent(key, "swapped"))),
        on_removed_change=lambda: on_removed(int(_sent(key, "removed"))),
        on_added_change=lambda: on_added(str(_sent(key, "added"))),
    )


def picker(
    key: str,
    *,
    url: str,
    ticket: str,
    max_bytes: int,
    picture: dict | None,
    box: tuple[float, ...] | None,
    tip: str = "Drag on the picture to search by a part of it.",
    draw: str = "Search a part",
    on_asked: Callable[[str], None],
    on_boxed: Callable[[tuple[float, ...] | None], None],
    on_cleared: Callable[[], None],
) -> None:
    """The query picture: where it is dropped, shown, and where a box is drawn on it."""
    data = {"url": url, "ticket": ticket, "maxBytes": max_bytes, "picture": picture, "box": box}
    data |= {"tip": tip, "draw": draw}
    _picker(
        key=key,
        data=data,
        on_asked_change=lambda: on_asked(str(_sent(key, "asked"))),
        on_boxed_change=lambda: on_boxed(tuple(_sent(key, "boxed")) or None),
        on_cleared_change=on_cleared,
    )


def uploader(key: str, *, url: str, ticket: str, max_bytes: int, max_files: int, on_change: Callable[[], None]) -> None:
    """Many files, one request each, with progress and what became of them."""
    data = {"url": url, "ticket": ticket, "maxBytes": max_bytes, "maxFiles": max_files}
    _uploader(key=key, data=data, on_begun_change=on_change, on_done_change=on_change)


def shelf(key: str, cards: list[dict], on_opened: Callable[[str], None]) -> None:
    """Collections as cards with their cover pictures."""
    _shelf(key=key, data={"cards": cards}, on_opened_change=lambda: on_opened(str(_sent(key, "opened"))))


def groups(key: str, groups: list[dict], *, heard: dict, said: dict | None, on_acts: Callable[[dict], None]) -> None:
    """A page of groups of copies, and one copy beside its keeper.

    `heard` is the last act that was done, `said` what came of it; `on_acts` gets all that were not heard yet.
    """
    data = {"groups": groups, "heard": heard, "said": said}
    _groups(key=key, data=data, on_acts_change=lambda: on_acts(_sent(key, "acts")))


def _sent(key: str, name: str):
    return st.session_state[key][name]
