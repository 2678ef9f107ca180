"""What a person said of pictures, the newest first, and the way back from each word."""

from datetime import datetime
from html import escape

import streamlit as st

from app.api.face import Face
from app.audits.grouping import decisions
from app.audits.runs import AuditFacts
from app.audits.showing import said
from app.audits.showing.pages import FIRST
from app.audits.showing.said import DecisionFacts, DecisionPage, Picture
from app.errors import AppError
from app.ui import words
from app.ui.audits import acts, wording
from app.ui.audits.address import Look
from app.ui.audits.going import go

NOTHING = (
    "Nothing was said yet. Among the groups, *Different*, *Keep all* and *Same scene* are kept here, by the pictures' "
    "bytes: they hold whatever is scanned or moved later."
)
NEWS = "taken back from the list"  # until the page has said so


def show(face: Face, look: Look, facts: AuditFacts) -> None:
    if told := st.session_state.pop(NEWS, None):
        st.toast(words.plain(told), icon=":material/undo:")
    page = said.page(face.resources, facts.id, look.cursor)
    if not page.decisions and look.cursor != FIRST:  # those of this page are all taken back
        page = said.page(face.resources, facts.id)
    if not page.decisions:
        st.info(NOTHING, icon=":material/inbox:")
        return
    st.markdown(f"### {words.count(page.total, 'decision')}, the newest first")
    for decision in page.decisions:
        _row(face, facts.id, decision)
    _pager(look, page)


def _row(face: Face, audit_id: int, decision: DecisionFacts) -> None:
    with st.container(key=f"decision_{decision.id}", horizontal=True, vertical_alignment="center"):
        st.html(_told(face, decision))
        back = {"on_click": _take_back, "args": (face, audit_id, decision), "width": "content"}
        st.button("Take back", icon=":material/undo:", key=f"take back {decision.id}", **back)


def _told(face: Face, decision: DecisionFacts) -> str:
    pictures = [decision.first] if decision.first == decision.second else [decision.first, decision.second]
    when = words.moment(datetime.fromtimestamp(decision.decided_at))
    return (
        f'<div class="decision"><div>{"".join(_thumbnail(face, picture) for picture in pictures)}</div>'
        f"<p><b>{wording.WORDS[decision.word]}</b> <span>{when}</span></p>"
        f"{''.join(_name(picture) for picture in pictures)}</div>"
    )


def _thumbnail(face: Face, picture: Picture) -> str:
    return f'<img src="{escape(face.thumbnail(picture.digest))}" alt="{escape(picture.name)}" loading="lazy">'


def _name(picture: Picture) -> str:
    return (
        f'<p class="where" title="{escape(picture.path or "")}"><bdi>{escape(picture.path or picture.name)}</bdi></p>'
    )


def _take_back(face: Face, audit_id: int, decision: DecisionFacts) -> None:
    try:
        made = decisions.take_back(face.resources, audit_id, decision.id)
    except AppError as refusal:
        st.session_state[NEWS] = str(refusal)
        return
    text = f"“{wording.WORDS[decision.word]}” holds no more of {decision.first.name} and {decision.second.name}"
    acts.note(face, audit_id, text, made)
    st.session_state[NEWS] = f"{text}. Undo says it again"


def _pager(look: Look, page: DecisionPage) -> None:
    if page.before is None and page.after is None:
        return
    with st.container(key="pager", horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        for label, icon, cursor in (
            ("Newer", ":material/chevron_left:", page.before),
            ("Older", ":material/chevron_right:", page.after),
        ):
            there = (look.at(cursor=cursor or FIRST),)
            st.button(label, icon=icon, disabled=cursor is None, on_click=go, args=there)
