"""Pictures that were refused or set aside, grouped by reason, and another try for a group or for all."""

import os
from html import escape
from pathlib import Path
from typing import Literal

import streamlit as st

from app.api.face import Face
from app.ingest import failures
from app.ingest.failures import Failure
from app.ui import cards, words

SHOWN = 20  # of each reason; the command line lists them all

TITLES = {
    "bad_vector": "The network made no vector of them",
    "changed": "Changed since they were listed",
    "damaged": "Damaged",
    "decoder_crashed": "Crashed their decoder",
    "decoder_memory": "Take too much memory to decode",
    "decoder_timeout": "Take too long to decode",
    "empty": "Empty files",
    "not_a_picture": "No pictures inside",
    "too_large": "Too large",
    "truncated": "Cut short",
    "unreadable": "Can't be read",
    "unsupported_format": "Of a format that is not read",
    "vanished": "Not at their place any more",
    "worker_died": "Their worker died each time",
}


def show(face: Face, name: str, count: int) -> None:
    with st.expander(f"{words.count(count)} refused", icon=":material/broken_image:", key=f"refused in {name}"):
        codes = failures.counts(face.resources, name)
        if len(codes) > 1:
            _retry(face, name, None, "Try all again", "secondary")
        for code, number in codes.items():
            _group(face, name, code, number)


def _group(face: Face, name: str, code: str, number: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{TITLES.get(code, words.plain(code))}** · {words.count(number)}")
        _retry(face, name, code, "Try these again", "tertiary")
    listed = failures.failures(face.resources, name, code, limit=SHOWN)
    names = _short_names(face, [row.path for row in listed])
    rows = "".join(_row(face, row, short) for row, short in zip(listed, names, strict=True))
    st.html(f'<ul class="refused">{rows}</ul>')
    if number > len(listed):
        st.caption(
            f"The first {len(listed)} of {number:,}: `dinoseek failures -c '{name}' --code {code}` lists them all."
        )


def _retry(face: Face, name: str, code: str | None, label: str, weight: Literal["secondary", "tertiary"]) -> None:
    if st.button(label, icon=":material/refresh:", type=weight, key=f"retry {code or 'all'} in {name}"):
        failures.retry(face.resources, name, code)
        st.rerun(scope="fragment")


def _row(face: Face, row: Failure, short: str) -> str:
    return (
        f'<li>{_preview(face, row)}<div><b title="{escape(row.path)}">{escape(short)}</b>'
        f"<p>{escape(row.reason)}</p></div></li>"
    )


def _preview(face: Face, row: Failure) -> str:
    """Its thumbnail where one was ever made, as of a picture set aside after it was decoded."""
    if not face.resources.storage.thumbnail(row.digest).is_file():
        return '<span class="none"></span>'
    return f'<img src="{escape(face.thumbnail(row.digest))}" alt="" loading="lazy">'


def _short_names(face: Face, paths: list[str]) -> list[str]:
    """Each name with the folders that not all share; uploads have only names."""
    found = [Path(path) for path in paths if not cards.is_upload(face, path)]
    shared = os.path.commonpath([path.parent for path in found]) if found else ""
    return [Path(path).name if cards.is_upload(face, path) else os.path.relpath(path, shared) for path in paths]
