"""What instance search is and costs, for a collection that does not keep what it needs; and how far it is with that."""

import streamlit as st

from app import switching
from app.api.face import Face
from app.library import CollectionFacts
from app.patches import DETAILS, MOST_BYTES, Detail
from app.ui import changing, failures, words
from app.vision.architectures import get_architecture

TITLE = "Find the same thing"
WHAT = (
    "Draw a box around a thing, a building, a bottle, a painting, and get the pictures that show that very thing: "
    "small, turned or partly hidden too, with the place marked and what speaks for it drawn."
)
COST = (
    "For that a collection keeps what its pictures look like place by place. Every picture is looked at once more, in "
    "the background, some three times as long as adding it took; Search goes on meanwhile, and files stay as they are."
)
KINDS = {"light": "for things of some size", "full": "for small things too"}
BOX_BYTES = 8
LOOK_EVERY_S = 1.0


def show(face: Face, facts: CollectionFacts) -> None:
    st.markdown(f"## {TITLE}")
    st.markdown(WHAT)
    if facts.change and facts.change.instances != "off":
        every_s = max(LOOK_EVERY_S, face.lookout.pause_s(facts.name))
        st.fragment(_follow, run_every=every_s)(face, facts)
        return
    st.markdown(COST)
    for column, detail in zip(st.columns(2), DETAILS[1:], strict=True):
        with column.container(border=True):
            _offer(face, facts, detail)


def most_bytes(detail: Detail, model: str) -> int:
    """Of one picture: its places, and a vector with its box for each window."""
    return MOST_BYTES + len(detail.windows) * (get_architecture(model).dim + BOX_BYTES)


def _offer(face: Face, facts: CollectionFacts, detail: Detail) -> None:
    each, places = most_bytes(detail, facts.model), detail.tokens + detail.keypoints
    st.markdown(f"**{detail.word.capitalize()}**, {KINDS[detail.word]}")
    st.caption(
        f"{len(detail.windows)} windows and {places} places of each picture: up to {words.size(each)}, "
        f"{words.size(each * facts.ready)} for the {facts.ready:,} here"
    )
    kind = "primary" if detail is DETAILS[1] else "secondary"
    if st.button(f"Turn on {detail.word}", type=kind, key=f"turn on {detail.word}", width="stretch"):
        with failures.plainly():
            switching.begin(face.resources, facts.name, face.encoders, detail=detail.word)
            st.rerun()


def _follow(face: Face, facts: CollectionFacts) -> None:
    """Has the page drawn again when it is made, or given up."""
    state = face.lookout.progress(facts.name)
    if state.change is None:
        st.rerun()
    changing.show(state)
    st.caption("The page is ready when this is. Search answers meanwhile as before.")
    if st.button("Stop this", icon=":material/close:", type="tertiary"):
        switching.cancel(face.resources, facts.name)
        st.rerun()
