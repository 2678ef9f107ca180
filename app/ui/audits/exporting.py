"""An audit as a file to keep: a page with pictures, a table, or what scripts read."""

from html import escape

import streamlit as st

from app.api.face import Face

MEANINGS = {
    ".html": "A page with pictures, for any browser",
    ".csv": "A table, one row for each file",
    ".json": "JSON, for scripts",
}


def popover(face: Face, audit_id: int) -> None:
    with st.popover("Export", icon=":material/download:", width="content"):
        links = (_link(face.export(audit_id, suffix), text) for suffix, text in MEANINGS.items())
        st.html(f'<ul class="exports">{"".join(links)}</ul>')


def _link(address: str, text: str) -> str:
    return f'<li><a href="{escape(address)}" download>{text}</a></li>'
