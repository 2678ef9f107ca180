"""Collections made and put away."""

from collections.abc import Callable

import streamlit as st

from app import library, upkeep
from app.api.face import Face
from app.library import CollectionFacts
from app.settings import AUTO_MODEL
from app.ui import caveats, failures, words
from app.vision.architectures import ARCHITECTURES
from app.vision.models import resolve_model, weights_state

MISSING = "missing"
INSTANCES = {"off": "no", "light": "yes", "full": "yes, small things too"}


def popover(face: Face, on_made: Callable[[str], None]) -> None:
    with st.popover("New collection", icon=":material/add:", width="content"):
        form(face, on_made)


def form(face: Face, on_made: Callable[[str], None]) -> None:
    with st.form("new_collection", border=False):
        name = st.text_input("Name", max_chars=64, placeholder="Holidays 2026")
        model = st.selectbox("Model", _models(face), format_func=lambda row: _describe(face, row))
        detail = st.selectbox(
            "Find single things in it, with Instances",
            list(INSTANCES),
            format_func=INSTANCES.get,
            help="Keeps some 10 kB more of each picture. It can be turned on later too.",
        )
        if not st.form_submit_button("Make it", type="primary"):
            return
    with failures.plainly(), st.spinner("Opening the model…"):
        made = library.create_collection(face.resources, name.strip(), model, face.encoders, detail=detail)
        on_made(made.name)
        st.rerun()


def settings(face: Face, facts: CollectionFacts, on_deleted: Callable[[], None]) -> None:
    with st.popover("", icon=":material/more_horiz:", help="About this collection", width="content"):
        st.markdown(f"**Model** {facts.model}{caveats.suffix(facts.model)}")
        st.markdown(f"**Parts of pictures** {words.instances(facts.instances)}")
        st.markdown(f"**Originals** {words.size(facts.bytes)}")
        st.markdown(f"**Index** {words.index(upkeep.status(face.resources, facts.name))}")
        st.caption("Deleting hides the collection. Your files stay where they are.")
        if st.button("Delete collection", icon=":material/delete:"):
            library.delete_collection(face.resources, facts.name)
            on_deleted()
            st.rerun()


def _models(face: Face) -> list[str]:
    """What can be used now, the best choice first."""
    here = [row.name for row in ARCHITECTURES if weights_state(row, face.resources.settings.weights) != MISSING]
    return [AUTO_MODEL, *here]


def _describe(face: Face, name: str) -> str:
    if name != AUTO_MODEL:
        return name + caveats.suffix(name)
    return f"the best that is here ({resolve_model(AUTO_MODEL, face.resources.settings.weights).name})"
