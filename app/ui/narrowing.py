"""What every question is narrowed by: which collection, and how many hits."""

from collections.abc import Callable

import streamlit as st

from app.errors import NotFound
from app.library import CollectionFacts
from app.search.query import MOST_HITS
from app.ui import words
from app.ui.addresses import HITS


def chosen(name: str | None, collections: list[CollectionFacts]) -> CollectionFacts:
    """The collection asked; without one, the fullest. Raises NotFound."""
    if name is None:
        return max(collections, key=lambda facts: facts.ready)
    found = next((facts for facts in collections if facts.name == name), None)
    if found is None:
        raise NotFound(f"no collection is called {name!r}: choose one in the Library")
    return found


def choose_collection(name: str, collections: list[CollectionFacts], on_chosen: Callable[[str], None]) -> None:
    by_name = {facts.name: facts for facts in collections}
    st.session_state["collection"] = name
    st.selectbox(
        "Collection",
        list(by_name),
        key="collection",
        label_visibility="collapsed",
        format_func=lambda name: words.joined(name, words.count(by_name[name].ready)),
        on_change=lambda: on_chosen(st.session_state["collection"]),
    )


def how_many(k: int, on_chosen: Callable[[int], None], most: int = MOST_HITS) -> None:
    """`most` is what the desk gives at most."""
    st.session_state["k"] = k
    choices = sorted({*(offered for offered in HITS if offered <= most), k})
    st.selectbox(
        "How many",
        choices,
        key="k",
        label_visibility="collapsed",
        format_func=lambda k: f"Best {k}",
        on_change=lambda: on_chosen(st.session_state["k"]),
    )
