"""One of a few, as a row of buttons. They hold no state: the address alone says what is chosen."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st


def choose(key: str, labels: Mapping[Any, str], current: Any, on_chosen: Callable[[Any], None]) -> None:
    """`labels` by value, in order; `on_chosen` gets the value of the one that was clicked."""
    with st.container(key=f"choice_{key}", horizontal=True, gap=None, width="content"):
        for value, label in labels.items():
            kind = "primary" if value == current else "secondary"
            st.button(label, key=f"{key} {value}", type=kind, on_click=on_chosen, args=(value,))
