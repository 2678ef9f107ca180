"""The labelling panel: two pictures and a question, what the answers show so far, and the threshold they allow."""

import streamlit as st

from app.api.face import Face
from app.audits.evidence import labels, thresholds
from app.audits.evidence.calibration import Point, Suggestion
from app.audits.evidence.labels import PairToLabel
from app.audits.evidence.thresholds import Evidence
from app.library import PictureFacts
from app.resources import Resources
from app.ui import curves, failures, parts, words

TARGETS = (0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99)  # precisions to aim at
TARGET = 0.9  # what sixty labels can show
FEWEST = 5  # labels before a curve says anything
LOOK_EVERY_S = 2.0
TINY_PX = 64
KEY = "labelling"
SET = "threshold was set"  # until the page has said so

_asker = st.components.v2.component(
    "dinoseek.asker", html=parts.read("asker.html"), css=parts.read("asker.css"), js=parts.read("asker.js")
)
_curve = st.components.v2.component(
    "dinoseek.curve", html=parts.read("curve.html"), css=parts.read("curve.css"), js=parts.read("curve.js")
)


@st.fragment
def show(face: Face, audit_id: int) -> None:
    """Ask about pairs of this audit. Keys: y copies, n not copies, u unsure, z takes the last answer back."""
    with failures.plainly(), st.container(key=KEY):
        if said := st.session_state.pop(SET, None):
            st.toast(said, icon=":material/check:")
        if labels.obstacle(face.resources, audit_id) is not None:
            st.fragment(_wait, run_every=LOOK_EVERY_S)(face, audit_id)
            return
        _ask(face, audit_id)
        _show_evidence(face.resources, audit_id)


def _wait(face: Face, audit_id: int) -> None:
    """Until pairs can be drawn; the page is drawn again then."""
    why = labels.obstacle(face.resources, audit_id)
    if why is None:
        st.rerun()
    st.info(words.plain(f"{_sentence(why)}."), icon=":material/hourglass:")


def _ask(face: Face, audit_id: int) -> None:
    """Drawn before the curve is worked out: the next question need not wait for it."""
    asked, known = labels.next_pair(face.resources, audit_id), labels.count(face.resources, audit_id)
    st.markdown("#### Are these copies of each other?")
    st.caption(
        "Copies were made from one shot: resized, cropped, turned, recoloured, written on. "
        "Two shots of the same thing are none, however alike."
    )
    if asked is None:
        st.success("Every pair that there is to ask about is labelled.", icon=":material/done_all:")
    _asker(
        key=f"{KEY} {audit_id}",
        data={"pair": _pair(face, asked), "answered": known, "wanted": asked.of if asked else known},
        on_answered_change=lambda: _answer(face.resources, audit_id),
        on_undone_change=lambda: _undo(face.resources, audit_id),
    )


def _pair(face: Face, asked: PairToLabel | None) -> list[dict]:
    return [] if asked is None else [_side(face, asked.first), _side(face, asked.second)]


def _side(face: Face, picture: PictureFacts) -> dict:
    width, height = picture.width_px or 0, picture.height_px or 0
    return {
        "id": picture.image_id,
        "name": picture.name,
        "facts": words.joined(words.dimensions(width, height), words.size(picture.size_bytes), picture.format or ""),
        "thumb": face.thumbnail(picture.digest),
        "picture": face.large(picture.image_id),
        "tiny": 0 < max(width, height) <= TINY_PX,
    }


def _answer(resources: Resources, audit_id: int) -> None:
    first_id, second_id, copies = st.session_state[f"{KEY} {audit_id}"]["answered"]
    labels.label(resources, audit_id, int(first_id), int(second_id), None if copies is None else bool(copies))


def _undo(resources: Resources, audit_id: int) -> None:
    labels.undo(resources, audit_id)


def _show_evidence(resources: Resources, audit_id: int) -> None:
    found = thresholds.evidence(resources, audit_id)
    if found.labels < FEWEST:
        st.caption(f"After {words.count(FEWEST - found.labels, 'more label')} you see here what a threshold is worth.")
        return
    st.markdown("#### What your labels show")
    target = st.select_slider(
        "Precision to aim at: of all that is called a copy, at least so much should be one",
        TARGETS,
        value=found.target if found.target in TARGETS else TARGET,
        format_func=lambda share: f"{share:.0%}",
        key=f"target of {audit_id}",
    )
    suggestion = found.suggested(target)
    svg = curves.svg(found.curve, found.threshold, suggestion.point and suggestion.point.score)
    _curve(key=f"curve of {audit_id}", data={"svg": svg})
    _say(found, suggestion, target)
    _offer(resources, audit_id, found, suggestion, target)


def _say(found: Evidence, suggestion: Suggestion, target: float) -> None:
    if suggestion.point is None:
        st.info(words.plain(f"{_sentence(suggestion.reason)}."), icon=":material/info:")
    else:
        st.markdown(f"**From {suggestion.point.score:.3f} on:** {_worth(suggestion.point)}")
    of_whom = "set for a precision of " + f"{found.target:.0%}" if found.target else "the check's own"
    worth = _worth(found.present) if found.present else "above every pair that you labelled"
    st.caption(f"In use now: {found.threshold:.3f}, {of_whom}: {worth}")
    if found.unsure:
        st.caption(
            f"{words.count(found.unsure, 'pair')} that you could not tell: left out here, and not asked about again"
        )


def _worth(point: Point) -> str:
    precision = f"precision {point.precision:.1%} ({point.precision_low:.0%} to {point.precision_high:.0%})"
    recall = f"recall {point.recall:.1%} ({point.recall_low:.0%} to {point.recall_high:.0%})"
    return words.joined(precision, recall, words.count(point.labels, "label"))


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]


def _offer(resources: Resources, audit_id: int, found: Evidence, suggestion: Suggestion, target: float) -> None:
    with st.container(horizontal=True):
        st.button(
            "Use this threshold",
            type="primary",
            icon=":material/check:",
            key=f"use threshold of {audit_id}",
            disabled=suggestion.point is None or suggestion.point.score == found.threshold,
            on_click=_use,
            args=(resources, audit_id, target),
        )
        if found.target is not None:
            st.button(
                "Back to the check's own",
                key=f"clear threshold of {audit_id}",
                on_click=_clear,
                args=(resources, audit_id),
            )


def _use(resources: Resources, audit_id: int, target: float) -> None:
    found = thresholds.choose(resources, audit_id, target)
    st.session_state[SET] = f"Copies from {found.point.score:.3f} on: the groups are being made again"


def _clear(resources: Resources, audit_id: int) -> None:
    thresholds.clear(resources, audit_id)
    st.session_state[SET] = "The check's own threshold again: the groups are being made again"
