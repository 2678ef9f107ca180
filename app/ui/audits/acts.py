"""What a person does with groups, as the page tells it; each can be taken back, the last first."""

from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.api.face import Face
from app.audits.grouping import decisions
from app.audits.showing import acts, marks
from app.audits.showing.acts import Done, Settling
from app.catalog.states import Word
from app.errors import AppError
from app.ui.audits import wording

NOTHING = "There is nothing to take back"


@dataclass(frozen=True)
class Said:
    """What the page answers to the last act. `number` tells one from another with the same words."""

    number: int
    text: str
    refused: bool = False


def hear(face: Face, audit_id: int, sent: dict) -> None:
    """Do what was not heard yet. The page sends all it has had no answer to, so the same may come twice."""
    heard = heard_of(audit_id)
    before = heard["n"] if heard["from"] == sent["from"] else 0
    for act in sent["acts"]:
        if act["n"] > before:
            _do(face, audit_id, act)
            st.session_state[f"heard {audit_id}"] = {"from": sent["from"], "n": act["n"]}


def heard_of(audit_id: int) -> dict:
    return st.session_state.get(f"heard {audit_id}", {"from": None, "n": 0})


def said(audit_id: int) -> Said | None:
    return st.session_state.get(f"said {audit_id}")


def note(face: Face, audit_id: int, text: str, done: Done) -> None:
    """It can be taken back from now on."""
    acts.note(face.resources, audit_id, text, done)
    say(audit_id, f"{text}. U takes it back")


def undo(face: Face, audit_id: int) -> None:
    """The last act, whenever and wherever it was done."""
    try:
        text = acts.undo(face.resources, audit_id)
    except AppError as refusal:
        say(audit_id, str(refusal), refused=True)
        return
    say(audit_id, NOTHING if text is None else f"Taken back: {text[:1].lower()}{text[1:]}")


def say(audit_id: int, text: str, refused: bool = False) -> None:
    last = said(audit_id)
    st.session_state[f"said {audit_id}"] = Said(last.number + 1 if last else 1, text, refused)


def _do(face: Face, audit_id: int, act: dict) -> None:
    """A refusal is said, and the page goes on."""
    if act["act"] == "undo":
        undo(face, audit_id)
        return
    try:
        note(face, audit_id, *ACTS[act["act"]](face, audit_id, act))
    except AppError as refusal:
        say(audit_id, str(refusal), refused=True)


def _mark(face: Face, audit_id: int, act: dict) -> tuple[str, Done]:
    made = marks.mark(face.resources, audit_id, [(act["group"], act["location"])], act["marked"])
    return "Marked" if act["marked"] else "Not marked any more", made


def _word(face: Face, audit_id: int, act: dict) -> tuple[str, Done]:
    word, image_id = Word(act["word"]), act["image"]
    made = decisions.decide(face.resources, audit_id, act["group"], word, None if image_id is None else [image_id])
    return wording.SAID[word], made


def _keep(face: Face, audit_id: int, act: dict) -> tuple[str, Done]:
    return "This one is kept from now on", decisions.keep(face.resources, audit_id, act["group"], act["image"])


def _settle(settled: bool, face: Face, audit_id: int, act: dict) -> tuple[str, Done]:
    marks.settle(face.resources, audit_id, [act["group"]], settled)
    text = "Done with this group" if settled else "Back among those to review"
    return text, Settling(audit_id, (act["group"],), settled)


ACTS = {
    "mark": _mark,
    "word": _word,
    "keep": _keep,
    "settle": partial(_settle, True),
    "unsettle": partial(_settle, False),
}
