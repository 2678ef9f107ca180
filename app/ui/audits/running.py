"""How far a running audit is: its stage, rate, time left and groups so far, which are shown meanwhile."""

import time

import streamlit as st

from app.api.face import Face
from app.audits import runs
from app.audits.runs import AuditFacts
from app.audits.showing import pages
from app.audits.showing.pages import GROUPS_PER_PAGE, Tallies
from app.catalog.states import AuditStage, AuditStatus
from app.ingest.progress import workers_alive
from app.ui import words
from app.ui.audits import starting

GOING = (AuditStatus.WAITING, AuditStatus.RUNNING)
LOOK_EVERY_S = 1.0
REDRAW_S = 4.0  # no oftener
RATE_FROM_S = 1.0
STEPS = {  # what is done, and what is counted meanwhile
    AuditStage.LOOK: ("Look at each picture", "Looking at pictures", "pictures/s"),
    AuditStage.JOIN: ("Find pairs that may be copies", "Finding pairs, block by block", ""),
    AuditStage.VERIFY: ("Lay each pair on one another", "Checking pairs", "pairs/s"),
    AuditStage.GROUP: ("Finish the groups", "Finishing the groups", "groups/s"),
}


def is_going(facts: AuditFacts) -> bool:
    return facts.status in GOING


def show(face: Face, facts: AuditFacts, counted: Tallies) -> None:
    """Nothing where it is done; why it stopped, where it did."""
    if is_going(facts):
        st.fragment(_follow, run_every=LOOK_EVERY_S)(face, facts, counted, time.monotonic())
    elif facts.status is AuditStatus.FAILED:
        _stopped(face, facts)


def _stopped(face: Face, facts: AuditFacts) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(words.plain(f"The audit could not go on: {facts.reason}"), icon=":material/info:")
        st.button("Go on", icon=":material/play_arrow:", on_click=starting.again, args=(face, facts.id))


def _follow(face: Face, drawn: AuditFacts, counted: Tallies, drawn_at: float) -> None:
    """Has the whole page drawn again at the end, and now and then when there are other groups."""
    now = runs.facts(face.resources, drawn.id)
    if not is_going(now):
        st.session_state.pop(f"pace {drawn.id}", None)
        st.rerun()
    if now.stage is None or now.status is AuditStatus.WAITING:
        _waiting(face)
        return
    found = pages.tallies(face.resources, drawn.id)
    st.html(_card(now, _rate(now), found))
    _show_others(counted, found, time.monotonic() - drawn_at)


def _show_others(counted: Tallies, found: Tallies, age_s: float) -> None:
    """By themselves while the page has room; then who may be looking through it is asked first."""
    drawn, news = counted.of(None).number, found.of(None).number - counted.of(None).number
    told = f"Show {words.count(news, 'new group')}" if news > 0 else "Show the groups as they are now"
    if drawn < GROUPS_PER_PAGE:
        asked = found != counted and age_s > REDRAW_S
    else:  # always there, so that nothing moves under a hand
        asked = st.button(told, icon=":material/refresh:", disabled=found == counted)
    if asked:
        st.rerun()


def _waiting(face: Face) -> None:
    if workers_alive(face.resources):
        st.info("Waits for a worker: pictures that are to become searchable go first.", icon=":material/hourglass:")
    else:
        told = "**No worker is alive,** and the audit waits for one: start it with `dinoseek worker`."
        st.warning(told, icon=":material/bedtime:")


def _rate(now: AuditFacts) -> float | None:
    """What is done per second, since this stage was first seen."""
    key, at = f"pace {now.id}", time.monotonic()
    stage, done, since = st.session_state.get(key, (None, 0, 0.0))
    if stage is not now.stage or now.done < done:
        st.session_state[key] = (now.stage, now.done, at)
        return None
    return (now.done - done) / (at - since) if at - since > RATE_FROM_S and now.done > done else None


def _card(now: AuditFacts, rate: float | None, found: Tallies) -> str:
    share = now.done / now.total if now.total else 0.0
    _, doing, unit = STEPS[now.stage]
    pace = f"{rate:,.0f} {unit}" if rate and unit else ""
    left = f"about {words.duration((now.total - now.done) / rate)} left" if rate and now.total > now.done else ""
    counted = f": {now.done:,} of {now.total:,}" if now.total else ""
    return (
        f'<section class="work"><header><b>{doing}{counted}</b><span>{words.joined(pace, left)}</span></header>'
        f'<div class="track" role="progressbar" aria-valuenow="{share:.0%}"><i style="width:{share:.1%}"></i></div>'
        f'<ol class="steps">{"".join(_step(stage, now.stage) for stage in STEPS)}</ol>{_so_far(found)}</section>'
    )


def _so_far(found: Tallies) -> str:
    """Also those that a person looked through already."""
    copies = [found.of(None, settled) for settled in (False, True)]
    number, size = sum(tally.number for tally in copies), sum(tally.bytes for tally in copies)
    told = (words.count(number, "group") + " so far", f"{words.size(size)} to free" if size else "")
    return f'<p class="found">{words.joined(*told)}</p>'


def _step(stage: AuditStage, at: AuditStage) -> str:
    order = list(STEPS)
    before, after = order[: order.index(at)], order[order.index(at) + 1 :]
    state = "done" if stage in before else "later" if stage in after else "now"
    return f'<li class="{state}">{STEPS[stage][0]}</li>'
