"""Audits: copies found, looked through group by group, and moved aside. The address bar holds what is shown."""

import streamlit as st

from app import library
from app.api import face as faces
from app.api.face import Face
from app.audits import runs
from app.audits.runs import AuditFacts
from app.audits.showing import answers, pages
from app.audits.showing.pages import Tallies
from app.ui import caveats, labelling, words
from app.ui.audits import deciding, exporting, reviewing, running, shelving, starting
from app.ui.audits.address import Look, Tab, from_address
from app.ui.audits.choosing import choose
from app.ui.audits.going import go


def show_audit(face: Face, look: Look) -> None:
    facts = runs.facts(face.resources, look.audit_id)
    counted = pages.tallies(face.resources, facts.id)
    show_title(face, facts, counted)
    running.show(face, facts, counted)
    with st.container(key="parts", horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        choose_tab(look, pages.count_marked(face.resources, facts.id))
        if look.tab is Tab.GROUPS and (counted.open or counted.settled):
            reviewing.tools(face, facts)
        elif look.tab is Tab.SAID:
            reviewing.undo_button(face, facts)
    if look.tab is Tab.GROUPS:
        reviewing.show(face, look, facts, counted)
    elif look.tab is Tab.THRESHOLD:
        labelling.show(face, facts.id)
    elif look.tab is Tab.SAID:
        deciding.show(face, look, facts)
    else:
        shelving.show(face, facts.id)


def show_title(face: Face, facts: AuditFacts, counted: Tallies) -> None:
    with st.container(key="title", horizontal=True, vertical_alignment="center"):
        st.button("", icon=":material/arrow_back:", on_click=go, type="tertiary", help="All audits")
        st.markdown(f"## {words.plain(starting.title(facts))}")
        exporting.popover(face, facts.id)
        if not running.is_going(facts):
            again = {"on_click": starting.again, "args": (face, facts.id), "help": "Examine what is new"}
            st.button("Run again", icon=":material/refresh:", **again)
    st.caption(summary(face, facts, counted))


def summary(face: Face, facts: AuditFacts, counted: Tallies) -> str:
    left = counted.of(None)
    inside = contained(face, facts)
    return words.joined(
        words.count(facts.images) if facts.images else "",
        f"{words.count(left.number, 'group')} to look through" if facts.done_at else "",
        f"{words.size(left.bytes)} to free" if left.bytes else "",
        facts.model + caveats.suffix(facts.model),
        f"in {words.plain(facts.against)} too: {inside['yes']:,} of {sum(inside.values()):,}" if inside else "",
    )


def contained(face: Face, facts: AuditFacts) -> dict[str, int] | None:
    """Counted once a run: it may take longer than a page should."""
    if facts.against is None or facts.done_at is None:
        return None
    key, run = f"contained {facts.id}", (facts.done_at, facts.reclaimable_bytes)
    if st.session_state.get(key, (None,))[0] != run:
        st.session_state[key] = run, answers.contained(face.resources, facts.id)
    return st.session_state[key][1]


def choose_tab(look: Look, marked: int) -> None:
    many = f"{marked:,}{'+' if marked == pages.MOST_COUNTED else ''} marked"
    names = {
        Tab.GROUPS: "Groups",
        Tab.THRESHOLD: "Threshold",
        Tab.QUARANTINE: f"Quarantine ({many})",
        Tab.SAID: "Decisions",
    }
    choose("tab", names, look.tab, lambda tab: go(look.at(tab=tab)))


face = faces.current()
look = from_address(st.query_params.to_dict())
if look.audit_id is not None:
    show_audit(face, look)
elif collections := library.collections(face.resources):
    starting.shelf(face, collections)
else:
    starting.first_steps()
