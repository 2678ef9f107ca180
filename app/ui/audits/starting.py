"""A new audit, and those there are."""

from urllib.parse import urlencode

import streamlit as st

from app.api.face import Face
from app.audits import runs
from app.audits.runs import AuditFacts
from app.audits.showing import pages
from app.catalog.states import AuditStatus
from app.library import CollectionFacts
from app.ui import failures, parts, words
from app.ui.audits.address import Look, to_address
from app.ui.audits.going import go

ALONE = "no other: copies within it"
COVERS = 4
WHAT = (
    "An audit finds pictures that are there twice: the same bytes, another size, a crop, turned or drawn upon. "
    "You look, decide and may undo; nothing moves before you say so, and nothing is ever deleted."
)


def first_steps() -> None:
    with st.container(key="hero"):
        st.markdown("## Find copies")
        st.markdown(f"{WHAT} First make a collection to look through.")
        if st.button("Make a collection", type="primary", icon=":material/add_photo_alternate:"):
            st.switch_page("views/library.py")


def shelf(face: Face, collections: list[CollectionFacts]) -> None:
    found = runs.all_facts(face.resources)
    with st.container(key="hero"):
        st.markdown("## Find copies")
        if not found:
            st.markdown(WHAT)
        _form(face, collections)
    if found:
        st.markdown("### Audits so far")
        cards = [_card(face, facts) for facts in found]
        parts.shelf("audits", cards, on_opened=lambda audit_id: go(Look(int(audit_id))))


def again(face: Face, audit_id: int) -> None:
    """Examine what is new since the last run, or go on where it stopped."""
    runs.ask_for(face.resources, audit_id)


def _form(face: Face, collections: list[CollectionFacts]) -> None:
    names = {facts.name: facts for facts in sorted(collections, key=lambda facts: -facts.ready)}
    with st.form("new_audit"):
        left, right = st.columns(2)
        name = left.selectbox(
            "Collection", list(names), format_func=lambda name: words.joined(name, words.count(names[name].ready))
        )
        against = right.selectbox("Compare with", [None, *names], format_func=lambda name: name or ALONE)
        asked = st.form_submit_button("Find copies", type="primary", icon=":material/content_copy:")
    if asked:
        with failures.plainly():
            audit_id = runs.open_audit(face.resources, name, against)
            again(face, audit_id)
            go(Look(audit_id))
            st.rerun()


def _card(face: Face, facts: AuditFacts) -> dict:
    counted = pages.tallies(face.resources, facts.id)
    first = pages.page(face.resources, facts.id, counted, limit=COVERS).groups
    left = counted.of(None)
    frees = f"{words.size(left.bytes)} to free" if left.bytes else ""
    line = words.joined(_state(facts), f"{words.count(left.number, 'group')} to look through", frees)
    return {
        "id": facts.id,
        "name": title(facts),
        "href": f"/audits?{urlencode(to_address(Look(facts.id)))}",
        "covers": [face.thumbnail(group.members[0].digest) for group in first],
        "line": line,
    }


def title(facts: AuditFacts) -> str:
    return facts.collection if facts.against is None else f"{facts.collection} in {facts.against}"


def _state(facts: AuditFacts) -> str:
    told = {AuditStatus.WAITING: "waits", AuditStatus.RUNNING: "running", AuditStatus.FAILED: "stopped"}
    return told.get(facts.status, "")
