"""From one question to the next: the address is the question."""

import streamlit as st

from app.ui.instances.question import Question, to_address


def go(question: Question) -> None:
    st.query_params.from_dict(to_address(question))
