"""What a person does with groups, as the page tells it; each can be taken back, the last first."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.api.face import Face
from app.audits import runs
from app.audits.grouping import decisions
from app.audits.showing import marks, pages
from app.catalog.states import Word
from app.errors import AppError
from app.ui.audits import wording

KEPT = 200  # acts that can be taken back
NOTHING = "There is nothing to take back"


@dataclass(frozen=True)
class Done:
    """An act, in words, and how it is taken back."""

    text: str
    undo: Callable[[], object]


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


def note(audit_id: int, done: Done) -> None:
    """It can be taken back from now on."""
    st.session_state[f"done {audit_id}"] = [*_done(audit_id), done][-KEPT:]
    say(audit_id, f"{done.text}. U takes it back")


def undo(audit_id: int) -> None:
    """The last act."""
    *before, last = _done(audit_id) or [None]
    if last is None:
        say(audit_id, NOTHING)
        return
    last.undo()
    st.session_state[f"done {audit_id}"] = before
    say(audit_id, f"Taken back: {last.text[:1].lower()}{last.text[1:]}")


def can_undo(audit_id: int) -> bool:
    return bool(_done(audit_id))


def say(audit_id: int, text: str, refused: bool = False) -> None:
    last = said(audit_id)
    st.session_state[f"said {audit_id}"] = Said(last.number + 1 if last else 1, text, refused)


def _do(face: Face, audit_id: int, act: dict) -> None:
    """A refusal is said, and the page goes on."""
    try:
        if act["act"] == "undo":
            undo(audit_id)
        else:
            note(audit_id, ACTS[act["act"]](face, audit_id, act))
    except AppError as refusal:
        say(audit_id, str(refusal), refused=True)


def _mark(face: Face, audit_id: int, act: dict) -> Done:
    made = marks.mark(face.resources, audit_id, [(act["group"], act["location"])], act["marked"])
    return Done("Marked" if act["marked"] else "Not marked any more", partial(marks.take_back, face.resources, made))


def _word(face: Face, audit_id: int, act: dict) -> Done:
    word, image_id = Word(act["word"]), act["image"]
    made = decisions.decide(face.resources, audit_id, act["group"], word, None if image_id is None else [image_id])
    return Done(wording.SAID[word], partial(decisions.undo, face.resources, made))


def _keep(face: Face, audit_id: int, act: dict) -> Done:
    chosen = runs.facts(face.resources, audit_id).rules.chosen
    members = {member.image_id for member in pages.group(face.resources, audit_id, act["group"]).members}
    decisions.keep(face.resources, audit_id, act["group"], act["image"])
    back = partial(decisions.keep_as_before, face.resources, audit_id, chosen, members | {act["image"]})
    return Done("This one is kept from now on", back)


def _settle(settled: bool, face: Face, audit_id: int, act: dict) -> Done:
    marks.settle(face.resources, audit_id, [act["group"]], settled)
    text = "Done with this group" if settled else "Back among those to review"
    return Done(text, partial(marks.settle, face.resources, audit_id, [act["group"]], not settled))


def _done(audit_id: int) -> list[Done]:
    return st.session_state.get(f"done {audit_id}", [])


ACTS = {
    "mark": _mark,
    "word": _word,
    "keep": _keep,
    "settle": partial(_settle, True),
    "unsettle": partial(_settle, False),
}
