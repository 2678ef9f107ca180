"""What a model that is not the real one says of itself on every page of its answers."""

import streamlit as st

from app.vision.architectures import BEST
from app.vision.models import caveat


def banner(model: str) -> None:
    """Nothing for a model without a caveat."""
    said = caveat(model)
    if said is None:
        return
    offer = f"For the real one run `dinoseek models pull {BEST}`, then `dinoseek collections switch`."
    st.info(f"**{said.what.capitalize()} ({model}):** {said.limit}. {offer}", icon=":material/science:")


def suffix(model: str) -> str:
    """In brackets behind the model's name."""
    said = caveat(model)
    return f" ({said.what})" if said else ""
