"""From which score on two pictures count as copies."""

import streamlit as st

from app.api.face import Face
from app.audits import pages
from app.audits.runs import AuditFacts
from app.ui import words


def show(face: Face, facts: AuditFacts) -> None:
    score = pages.threshold(face.resources, facts.id)
    st.markdown(f"### Copies from {score:.0%} on")
    st.markdown(
        f"Two pictures of {words.plain(facts.collection)} are laid on one another and compared window by window. "
        f"Where they agree to {score:.0%} or more they are called copies; below it, other shots or different."
    )
