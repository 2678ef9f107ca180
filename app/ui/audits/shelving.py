"""What is marked, into quarantine after a dry run; and what was moved, back."""

from datetime import datetime
from html import escape
from pathlib import Path

import streamlit as st

from app.api.face import Face
from app.audits.acting import history
from app.audits.acting.history import BatchFacts
from app.audits.acting.quarantine import Outcome, Plan, PlannedMove
from app.audits.acting.refusals import Refusal
from app.audits.acting.restoring import Restored
from app.audits.showing import marks, pages
from app.audits.showing.pages import Marked
from app.ui import words
from app.ui.audits import acts, moving
from app.ui.audits.moving import Moving

LOOK_EVERY_S = 0.5
SHOWN = 200  # files of a list; the command line shows all
SAFE = (
    "Files go into a hidden folder beside your pictures, on the same disk. Nothing is deleted, and any of it comes "
    "back from here; its room comes free when you delete that folder yourself. Each file and the copy that stays are "
    "read again just before."
)
LINKS = (
    "The copy that stays gets a second name in the place of each file that goes, so that albums and other programs "
    "still find it. Possible where both have the same bytes and lie on one file system; the others are left alone. The "
    "two are one file from then on: what is edited in one place is edited in both. *Bring back* puts each file in the "
    "place of its link again."
)
PLACES = {False: "Nothing", True: "A hard link to the copy that stays"}  # what takes a file's place


def show(face: Face, audit_id: int) -> None:
    now = moving.latest(audit_id)
    if now is not None and now.going:
        st.fragment(_follow, run_every=LOOK_EVERY_S)(audit_id)
        return
    marked = pages.marked(face.resources, audit_id)
    if now is not None:
        _answered(now)
    _marked(face, audit_id, now, marked)
    _moved(face, audit_id)


def _follow(audit_id: int) -> None:
    now = moving.latest(audit_id)
    if now is None or not now.going:
        st.rerun()
    st.progress(now.done / now.total if now.total else 0.0, now.doing)


def _answered(now: Moving) -> None:
    if now.refusal:
        st.error(words.plain(now.refusal), icon=":material/info:")
    elif isinstance(now.answer, Outcome):
        done = f"replaced by {_links(now.answer.moved)}" if now.link else "moved into quarantine"
        _said(f"{words.count(now.answer.moved, 'file')} {done}, {words.size(now.answer.bytes)}", now.answer.refused)
    elif isinstance(now.answer, Restored):
        place = "its place" if len(now.answer.files) == 1 else "their places"
        told = f"{words.count(len(now.answer.files), 'file')} back at {place}, {words.size(now.answer.bytes)}"
        _said(told, now.answer.refused)


def _said(told: str, refused: tuple[Refusal, ...]) -> None:
    st.success(told, icon=":material/check_circle:")
    if refused:
        st.warning(f"{words.count(len(refused), 'file')} left alone", icon=":material/block:")
        st.html(f'<ul class="moves">{"".join(_left(one.path, one.reason) for one in refused[:SHOWN])}</ul>')


def _marked(face: Face, audit_id: int, now: Moving | None, marked: Marked) -> None:
    if not marked.files:
        told = "Nothing is marked. Mark copies among the groups; identical ones are marked from the start."
        st.info(told, icon=":material/inbox:")
        return
    st.markdown(f"### {words.count(marked.files, 'file')} marked · {words.size(marked.bytes)}")
    st.caption(SAFE)
    link = _link(audit_id, now)
    plan = _shown(now, marked, link)
    if plan is not None:
        _plan(face, audit_id, plan, link)
    with st.container(horizontal=True):
        weight = "secondary" if plan else "primary"
        look = {"on_click": moving.look, "args": (face.resources, audit_id, marked, link), "type": weight}
        st.button("Check again" if plan else "Show what would happen", icon=":material/visibility:", **look)
        st.button("Unmark all", icon=":material/remove_done:", on_click=_unmark, args=(face, audit_id))


def _link(audit_id: int, now: Moving | None) -> bool:
    """What is to take each file's place, as a person chooses it: after a dry run, what that was asked for."""
    first = int(now is not None and isinstance(now.answer, Plan) and now.link)
    asked = {"format_func": PLACES.get, "horizontal": True, "key": f"link {audit_id}", "index": first}
    link = st.radio("What takes the place of each file", list(PLACES), **asked)
    if link:
        st.caption(LINKS)
    return bool(link)


def _shown(now: Moving | None, marked: Marked, link: bool) -> Plan | None:
    """The dry run, as long as it is of these files and of this way."""
    if now is None or not isinstance(now.answer, Plan):
        return None
    return now.answer if (now.of, now.link) == (marked, link) else None


def _unmark(face: Face, audit_id: int) -> None:
    made = marks.unmark_all(face.resources, audit_id)
    acts.note(face, audit_id, f"{words.count(len(made.files), 'file')} unmarked", made)


def _plan(face: Face, audit_id: int, plan: Plan, link: bool) -> None:
    """Exactly what moving would do, and the button that does it."""
    going = [move for move in plan.moves if move.refusal is None]
    staying = [move for move in plan.moves if move.refusal is not None]
    with st.container(border=True, key="plan"):
        left = f", {words.count(len(staying), 'file')} left alone" if staying else ""
        would = f"would be replaced by {_links(len(going))}" if link else "would move"
        st.markdown(f"**{words.count(len(going), 'file')} {would}, {words.size(plan.bytes)}{left}**")
        st.html(f'<ul class="moves">{"".join(_move(face, move, link) for move in [*staying, *going][:SHOWN])}</ul>')
        if len(plan.moves) > SHOWN:
            command = f"dinoseek audit quarantine {audit_id} {'--link ' if link else ''}--dry-run --json"
            st.caption(f"The first {SHOWN}: `{command}` shows all.")
        files = words.count(len(going), "file")
        label = f"Replace {files} by {_links(len(going))}" if link else f"Move {files} into quarantine"
        act = {"on_click": moving.move, "args": (face.resources, audit_id, plan, link), "disabled": not going}
        st.button(label, type="primary", icon=":material/inventory_2:", **act)


def _move(face: Face, move: PlannedMove, link: bool) -> str:
    pair = _pair(face, move)
    if move.refusal is not None:
        return _left(move.path, move.refusal, pair)
    path = Path(move.path)
    return (
        f'<li class="seen">{pair}<b title="{escape(move.path)}">{escape(path.name)}</b>'
        f"<span>{words.size(move.bytes)}</span>"
        f"<p>from {escape(str(path.parent))}</p><p>to {escape(str(Path(move.to).parent))}</p>"
        f"<p>{'in its place: a link to' if link else 'stays:'} {escape(move.kept)}</p></li>"
    )


def _links(number: int) -> str:
    return "a hard link" if number == 1 else "hard links"


def _pair(face: Face, move: PlannedMove) -> str:
    """The file that goes, and the copy that stays."""
    told = ((move.digest, "goes"), (move.kept_digest, "stays"))
    pictures = (f'<img src="{escape(face.thumbnail(digest))}" alt="{does}" loading="lazy">' for digest, does in told)
    return f"<div>{'<i>→</i>'.join(pictures)}</div>"


def _left(path: str, reason: str, pair: str = "") -> str:
    told = f'<b title="{escape(path)}">{escape(Path(path).name)}</b><span>left alone</span><p>{escape(reason)}</p>'
    return f'<li class="left{" seen" if pair else ""}">{pair}{told}</li>'


def _moved(face: Face, audit_id: int) -> None:
    found = history.batches(face.resources, audit_id)
    if not found:
        return
    st.markdown("### Moved so far")
    for batch in found:
        _batch(face, audit_id, batch)


def _batch(face: Face, audit_id: int, batch: BatchFacts) -> None:
    when = datetime.fromtimestamp(batch.created_at)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"batch {batch.id}"):
        told = words.joined(
            f"{words.count(batch.moved, 'file')} in quarantine, {words.size(batch.bytes)}" if batch.moved else "",
            f"{_links(batch.moved)} left there" if batch.moved and batch.link else "",
            f"{batch.restored:,} brought back" if batch.restored else "",
            f"{batch.refused:,} left alone" if batch.refused else "",
            f"{batch.planned:,} not done yet" if batch.planned else "",
        )
        st.markdown(f"**{words.moment(when)}** · {told}")
        if batch.moved or batch.planned:
            back = {"on_click": moving.restore, "args": (face.resources, audit_id, batch.id)}
            st.button("Bring back", icon=":material/undo:", key=f"restore {batch.id}", **back)
