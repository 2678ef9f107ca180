"""What there is before anything is asked: a first step where there is no collection, else pictures to start from."""

from collections.abc import Callable

import streamlit as st

from app import library
from app.api.face import Face
from app.library import CollectionFacts
from app.ui import cards, parts, words

OFFERED = 60  # pictures at once


def no_collection(title: str, what: str) -> None:
    with st.container(key="hero"):
        st.markdown(f"## {title}")
        st.markdown(what)
        if st.button("Make a collection", type="primary", icon=":material/add_photo_alternate:"):
            st.switch_page("views/library.py")


def show(face: Face, facts: CollectionFacts, lead: cards.Lead, on_chosen: Callable[[int], None]) -> None:
    """Pictures of the collection; another handful on request."""
    if not facts.ready:
        _nothing_ready(facts)
        return
    offset = st.session_state.get("starters_from", 0) % facts.ready
    with st.container(key="title", horizontal=True, vertical_alignment="center"):
        st.markdown("### Or start from one of these")
        if facts.ready > OFFERED:
            more = {"starters_from": offset + OFFERED}
            st.button("Show others", icon=":material/shuffle:", on_click=st.session_state.update, args=(more,))
    pictures = library.pictures(face.resources, facts.name, offset, OFFERED)
    parts.gallery("starters", cards.of_pictures(face, pictures, lead), click="like", on_like=on_chosen)


def _nothing_ready(facts: CollectionFacts) -> None:
    waiting = f"{words.count(facts.pending)} still being read: they appear here as workers finish."
    st.info(waiting if facts.pending else "This collection is empty.", icon=":material/hourglass_empty:")
    st.page_link("views/library.py", label="Add pictures in the Library", icon=":material/add_photo_alternate:")
