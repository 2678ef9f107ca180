"""From one look at audits to another: the address is what is shown."""

import streamlit as st

from app.ui.audits.address import Look, to_address


def go(look: Look = Look()) -> None:  # noqa: B008  (it is frozen)
    st.query_params.from_dict(to_address(look))
