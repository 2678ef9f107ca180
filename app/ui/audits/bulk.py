"""Many marks by one rule, after a look at exactly what it would mark."""

from html import escape

import streamlit as st

from app.api.face import Face
from app.audits.runs import AuditFacts
from app.audits.showing import marks
from app.audits.showing.marks import Preview
from app.audits.showing.members import MemberFacts
from app.catalog.marks import Rule
from app.catalog.states import Tier
from app.ui import failures, words
from app.ui.audits import acts, wording

KINDS = (Tier.IDENTICAL, Tier.SAME_PIXELS, Tier.EDITED)


@st.dialog("Mark many at once", width="medium")
def dialog(face: Face, facts: AuditFacts) -> None:
    st.caption("Marks duplicates, never the one that is kept, and nothing in a protected folder. Nothing moves yet.")
    rule = _rule()
    if not rule.tiers:
        st.info("Choose at least one kind of copies.", icon=":material/inbox:")
        return
    with failures.plainly():
        shown = marks.preview(face.resources, facts.id, rule)
        _preview(face, facts, shown)


def _rule() -> Rule:
    chosen = st.pills(
        "Which copies", KINDS, selection_mode="multi", default=[Tier.IDENTICAL], format_func=wording.TITLES.get
    )
    loose = set(chosen) - {Tier.IDENTICAL}
    left, right = st.columns(2)
    nothing_lost = left.checkbox("Only what has nothing its keeper lacks", value=True)
    no_larger = right.checkbox("Only what is no larger than its keeper", value=True)
    folder = left.text_input("Only below this folder", placeholder="any folder").strip() or None
    least = right.slider("Alike to at least", 50, 100, 90, format="%d %%", disabled=not loose) if loose else 0
    return Rule(tuple(chosen), least / 100, folder, no_larger, nothing_lost)


def _preview(face: Face, facts: AuditFacts, shown: Preview) -> None:
    if not shown.files:
        st.info("Nothing fits that is not marked already.", icon=":material/inbox:")
        return
    first = marks.previewed(face.resources, facts.id, shown.rule)
    told = words.joined(
        words.count(shown.files, "file"), f"in {words.count(shown.groups, 'group')}", words.size(shown.bytes)
    )
    st.markdown(f"**{told}**" + (f" · the first {len(first)}:" if shown.files > len(first) else ""))
    st.html(f'<ul class="sheet">{"".join(_file(face, member) for member in first)}</ul>')
    seen = _may_go_unseen(shown) or st.checkbox("I have looked at them", key="looked at")
    label = f"Mark {'this file' if shown.files == 1 else f'these {shown.files:,} files'}"
    if st.button(label, type="primary", icon=":material/done_all:", disabled=not seen):
        made = marks.mark_by_rule(face.resources, facts.id, shown)
        acts.note(face, facts.id, f"{words.count(shown.files, 'file')} marked", made)
        st.rerun()


def _may_go_unseen(shown: Preview) -> bool:
    """Nothing but identical copies may be marked unseen."""
    return set(shown.rule.tiers) <= {Tier.IDENTICAL}


def _file(face: Face, member: MemberFacts) -> str:
    why = words.joined(wording.TITLES[member.tier], wording.likeness(member), words.size(member.size_bytes))
    return (
        f'<li title="{escape(member.path)}"><img src="{escape(face.thumbnail(member.digest))}" alt="" loading="lazy">'
        f"<b>{escape(member.name)}</b><span>{why}</span></li>"
    )
