"""The groups of an audit: which, in what order, page by page, and what is said of them."""

from dataclasses import asdict

import streamlit as st

from app.api.face import Face
from app.audits.runs import AuditFacts
from app.audits.showing import acts as undoing
from app.audits.showing import pages
from app.audits.showing.pages import FIRST, LAST, MEMBERS_PER_PAGE, GroupFacts, GroupPage, Sort, Tallies
from app.catalog.states import Tier
from app.ui import parts, words
from app.ui.audits import acts, bulk, cards, keepers, running, wording
from app.ui.audits.address import Look, Tab
from app.ui.audits.choosing import choose
from app.ui.audits.going import go

SORTS = {Sort.BYTES: "Largest first", Sort.DOUBT: "Doubtful first"}
SETTLED = {False: "To review", True: "Done"}


def show(face: Face, look: Look, facts: AuditFacts, counted: Tallies) -> None:
    if look.group_id is not None:
        _one(face, look, facts)
        return
    page = pages.page(face.resources, facts.id, counted, look.tier, look.settled, look.sort, look.cursor)
    if not page.groups and look.cursor != FIRST:  # those of this page are all done
        page = pages.page(face.resources, facts.id, counted, look.tier, look.settled, look.sort)
    if counted.open or counted.settled:
        _narrow(look, counted)
    _groups(face, look, page.groups, facts)
    if not page.groups:
        _nothing(look, facts, counted)
    _pager(look, page)


def _narrow(look: Look, counted: Tallies) -> None:
    with st.container(key="which", horizontal=True, vertical_alignment="center"):
        tiers = {tier: _counted(tier, counted, look.settled) for tier in (None, *wording.TITLES)}
        choose("tier", tiers, look.tier, lambda tier: go(look.at(tier=tier)))
        choose("sort", SORTS, look.sort, lambda sort: go(look.at(sort=sort)))
        choose("settled", SETTLED, look.settled, lambda settled: go(look.at(settled=settled)))


def _counted(tier: Tier | None, counted: Tallies, settled: bool) -> str:
    name = "All copies" if tier is None else wording.TITLES[tier]
    return f"{name} {counted.of(tier, settled).number:,}"


def tools(face: Face, facts: AuditFacts) -> None:
    """For groups: beside the parts of the page."""
    with st.container(key="tools", horizontal=True, horizontal_alignment="right", width="content"):
        if st.button("Mark many", icon=":material/done_all:"):
            bulk.dialog(face, facts)
        if st.button("Keeper rules", icon=":material/rule:"):
            keepers.open_dialog(face, facts)
        undo_button(face, facts)


def undo_button(face: Face, facts: AuditFacts) -> None:
    nothing = not undoing.can_undo(face.resources, facts.id)
    st.button("Undo", icon=":material/undo:", disabled=nothing, on_click=acts.undo, args=(face, facts.id))


def _groups(face: Face, look: Look, groups: tuple[GroupFacts, ...], facts: AuditFacts) -> None:
    """Drawn also without any, so that the answer to the last act is still seen."""
    said = acts.said(look.audit_id)
    parts.groups(
        f"groups {look.audit_id}",
        cards.of_groups(face, groups, look, facts),
        heard=acts.heard_of(look.audit_id),
        said=said and asdict(said),
        on_acts=lambda sent: acts.hear(face, look.audit_id, sent),
    )


def _nothing(look: Look, facts: AuditFacts, counted: Tallies) -> None:
    if running.is_going(facts):
        st.info("Groups appear here while pairs are checked.", icon=":material/hourglass_empty:")
    elif look.settled:
        st.info("You were not finished with any of these yet.", icon=":material/inbox:")
    elif look.tier is not None and counted.of(None).number:
        st.info(f"No groups of this kind are left: {wording.MEANINGS[look.tier]}.", icon=":material/inbox:")
    elif counted.of(None, settled=True).number:
        _all_done(look)
    else:
        told = f"No copies among {words.count(facts.images)}. Add more pictures, then run it again."
        st.success(told, icon=":material/check_circle:")


def _all_done(look: Look) -> None:
    st.success("You have looked through all of them.", icon=":material/check_circle:")
    st.button("To what is marked", type="primary", on_click=go, args=(look.at(tab=Tab.QUARANTINE),))


def _pager(look: Look, page: GroupPage) -> None:
    if page.before is None and page.after is None:
        return
    steps = (
        ("First", ":material/first_page:", FIRST if page.before else None),
        ("Earlier", ":material/chevron_left:", page.before),
        (None, None, None),
        ("Later", ":material/chevron_right:", page.after),
        ("Last", ":material/last_page:", LAST if page.after else None),
    )
    with st.container(key="pager", horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        for label, icon, cursor in steps:
            if label is None:
                last = page.number + len(page.groups) - 1
                st.markdown(f"{page.number:,}–{last:,} of {page.total:,}", width="content")
            else:
                there = (look.at(cursor=cursor or FIRST),)
                st.button(label, icon=icon, disabled=cursor is None, on_click=go, args=there)


def _one(face: Face, look: Look, facts: AuditFacts) -> None:
    """A group with more files than a page of groups shows."""
    group = pages.group(face.resources, look.audit_id, look.group_id, look.place)
    st.button("All groups", icon=":material/arrow_back:", type="tertiary", on_click=go, args=(look.at(),))
    _groups(face, look, (group,), facts)
    ends = min(group.files, look.place + MEMBERS_PER_PAGE) - 1
    if group.files - 1 <= MEMBERS_PER_PAGE:
        return
    with st.container(key="pager", horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        for label, place, there in (
            ("Earlier", look.place - MEMBERS_PER_PAGE, look.place > 1),
            ("Later", look.place + MEMBERS_PER_PAGE, ends < group.files - 1),
        ):
            at = look.at(group_id=group.id, place=max(1, place))
            st.button(label, disabled=not there, on_click=go, args=(at,))
        st.markdown(f"copies {look.place:,}–{ends:,} of {group.files - 1:,}", width="content")
