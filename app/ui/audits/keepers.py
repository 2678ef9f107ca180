"""By what the copy to keep is chosen: the list of rules, its order, and the folders it speaks of."""

import streamlit as st

from app.api.face import Face
from app.audits import runs
from app.audits.grouping.rules import RULES, Rules
from app.audits.runs import AuditFacts
from app.ui import failures, words
from app.ui.audits import starting
from app.ui.audits.address import Look
from app.ui.audits.going import go

FIRST = "Before all of these: what you chose by hand, and files of the collection that is compared with."


def open_dialog(face: Face, facts: AuditFacts) -> None:
    """With the rules as they are: what was not saved before is forgotten."""
    st.session_state.pop(f"order of {facts.id}", None)
    dialog(face, facts)


@st.dialog("Which copy is kept", width="medium")
def dialog(face: Face, facts: AuditFacts) -> None:
    st.caption("The first rule that tells two copies apart decides, and is the reason that is shown.")
    key = f"order of {facts.id}"
    order = st.session_state.setdefault(key, list(facts.rules.order))
    for at, name in enumerate(order):
        _row(key, order, at, name)
    _left_out(key, order)
    st.caption(FIRST)
    folders = _folders("Rather kept: files below", facts.rules.folders, f"preferred {facts.id}")
    protected = _folders("Protected: never marked, never moved", facts.rules.protected, f"protected {facts.id}")
    with failures.plainly():
        changed = facts.rules.changed(order=order, folders=folders, protected=protected)
        _save(face, facts, key, changed)


def _row(key: str, order: list[str], at: int, name: str) -> None:
    with st.container(key=f"rule_{at}", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{at + 1}** {RULES[name].means}", width="stretch")
        for label, icon, to, off in (
            ("Earlier", ":material/arrow_upward:", at - 1, at == 0),
            ("Later", ":material/arrow_downward:", at + 1, at == len(order) - 1),
            ("Leave out", ":material/close:", None, len(order) == 1),
        ):
            told = {"key": f"{label} {name}", "help": label, "disabled": off, "type": "tertiary", "width": "content"}
            st.button("", icon=icon, on_click=_move, args=(key, at, to), **told)


def _move(key: str, at: int, to: int | None) -> None:
    order = list(st.session_state[key])
    name = order.pop(at)
    if to is not None:
        order.insert(to, name)
    st.session_state[key] = order


def _left_out(key: str, order: list[str]) -> None:
    for name in RULES:
        if name not in order:
            again = {"key": f"again {name}", "icon": ":material/add:", "type": "tertiary"}
            st.button(RULES[name].means, on_click=st.session_state.update, args=({key: [*order, name]},), **again)


def _folders(label: str, known: tuple[str, ...], key: str) -> list[str]:
    text = st.text_area(label, "\n".join(known), placeholder="one folder a line", height=80, key=f"{key} folders")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _save(face: Face, facts: AuditFacts, key: str, changed: Rules) -> None:
    told = "Choose keepers anew" if changed != facts.rules else "Nothing is changed"
    if not st.button(told, type="primary", disabled=changed == facts.rules, icon=":material/rule:"):
        return
    audit_id = runs.open_audit(face.resources, facts.collection, facts.against, changed)
    starting.again(face, audit_id)
    st.session_state.pop(key)
    go(Look(audit_id))
    st.toast(words.plain("Groups are made anew by these rules"))
    st.rerun()
