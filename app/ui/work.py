"""The work on a collection as a card: how far, how fast, how long, by whom, where the time goes, what is in the way."""

from html import escape

import streamlit as st

from app.ingest.progress import UNCLAIMED_S, Obstacle, Progress, WorkerFacts
from app.ingest.stages import BY_NAME
from app.ui import words

LEAST_SHARE = 0.02  # a stage below this is no stripe one could see


def show(state: Progress) -> None:
    if state.obstacle:
        _obstacle(state.obstacle)
    st.html(f'<section class="work">{_bar(state)}{_stages(state)}{_crew(state)}</section>')


def _obstacle(found: Obstacle) -> None:
    told = words.plain(found.what[:1].upper() + found.what[1:])
    st.warning(f"**{told}:** {found.way_out.translate(words.MARKUP_BUT_CODE)}.", icon=":material/bedtime:")


def _bar(state: Progress) -> str:
    percent = f"{state.done_share * 100:.1f}"
    done = f"Looking at pictures: {state.ready + state.failed:,} of {state.total:,}"
    pace = f"{state.rate_per_s:.1f} pictures/s" if state.rate_per_s else ""
    left = f"about {words.duration(state.eta_s)} left" if state.eta_s else ""
    return (
        f"<header><b>{done}</b><span>{words.joined(pace, left)}</span></header>"
        f'<div class="track" role="progressbar" aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
    )


def _stages(state: Progress) -> str:
    """A bar of stripes, the longest stage first and strongest, with its names; nothing before the first batch."""
    shares = {name: share for name, share in state.stages.items() if share >= LEAST_SHARE}
    if not shares:
        return ""
    stripes = "".join(
        f'<i class="rank{rank}" style="flex:{share:.4f}"></i>' for rank, share in enumerate(shares.values())
    )
    names = "".join(
        f'<li><i class="rank{rank}"></i>{BY_NAME[name].words} <b>{share:.0%}</b></li>'
        for rank, (name, share) in enumerate(shares.items())
    )
    hint = f"To go faster: {BY_NAME[next(iter(shares))].faster}."
    return (
        f'<p class="asked">Where the time goes</p><div class="stripes">{stripes}</div>'
        f'<ul class="legend">{names}</ul><p class="hint">{hint}</p>'
    )


def _crew(state: Progress) -> str:
    if not state.workers:
        return ""
    rows = "".join(_worker(worker) for worker in state.workers)
    return f'<p class="asked">{words.count(len(state.workers), "worker")}</p><ul class="crew">{rows}</ul>'


def _worker(worker: WorkerFacts) -> str:
    kind = words.joined(worker.device, worker.model or "")
    trouble = f'<p class="hint">{escape(worker.trouble)}</p>' if worker.trouble else ""
    return (
        f'<li class="{_state(worker).replace(" ", "-")}" title="{escape(worker.name)}"><b>{escape(worker.host)}</b>'
        f"<span>{escape(kind)}</span><span>{_pace(worker)}</span><span>{worker.images_done:,} done</span>{trouble}</li>"
    )


def _state(worker: WorkerFacts) -> str:
    if worker.trouble:
        return "in trouble"
    if worker.at_work:
        return "at work"
    return "starting" if worker.claim_age_s is None and worker.up_s < UNCLAIMED_S else "idle"


def _pace(worker: WorkerFacts) -> str:
    if worker.images_per_s is None:
        return "first batch" if worker.holding else _state(worker)
    return f"{worker.images_per_s:.1f}/s"
