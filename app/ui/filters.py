"""The filters of a search: date, size, format, folder. What they can offer comes from the collection itself."""

import os
from collections.abc import Callable
from datetime import date, datetime, time

import streamlit as st

from app.catalog.images import Filters
from app.library import Facets
from app.ui.addresses import MEGABYTE

KEYS = ("formats", "folder", "taken_from", "taken_to", "min_mb", "max_mb", "min_px")


def popover(facets: Facets, filters: Filters, on_chosen: Callable[[Filters], None]) -> None:
    """A button that opens the filters; says how many are on."""
    on = sum(getattr(filters, name) not in (None, ()) for name in Filters.__dataclass_fields__)
    _follow(filters)

    def changed() -> None:
        on_chosen(_chosen())

    with st.popover(f"Filters ({on})" if on else "Filters", icon=":material/tune:", width="stretch"):
        _kinds(facets, changed)
        _dates(facets, changed)
        _sizes(changed)
        if on:
            st.button("Take all filters away", on_click=on_chosen, args=(Filters(),), width="stretch")


def _follow(filters: Filters) -> None:
    """The widgets show what the address says, also after going back."""
    values = {
        "formats": list(filters.formats),
        "folder": filters.folder,
        "taken_from": filters.taken_from and filters.taken_from.date(),
        "taken_to": filters.taken_to and filters.taken_to.date(),
        "min_mb": filters.min_bytes and filters.min_bytes / MEGABYTE,
        "max_mb": filters.max_bytes and filters.max_bytes / MEGABYTE,
        "min_px": filters.min_px,
    }
    st.session_state.update({f"filter_{name}": values[name] for name in KEYS})


def _chosen() -> Filters:
    state = {name: st.session_state.get(f"filter_{name}") for name in KEYS}
    return Filters(
        formats=tuple(state["formats"] or ()),
        folder=state["folder"],
        taken_from=_at(state["taken_from"], time.min),
        taken_to=_at(state["taken_to"], time.max),
        min_bytes=_bytes(state["min_mb"]),
        max_bytes=_bytes(state["max_mb"]),
        min_px=state["min_px"],
    )


def _kinds(facets: Facets, changed: Callable[[], None]) -> None:
    formats = sorted({*facets.formats, *st.session_state["filter_formats"]})
    st.pills("Format", formats, selection_mode="multi", key="filter_formats", on_change=changed)
    folders = sorted({*facets.folders, *filter(None, [st.session_state["filter_folder"]])})
    root = os.path.commonpath(folders) if len(folders) > 1 else ""

    def shown(folder: str) -> str:
        return os.path.relpath(folder, root) if root and folder != root else folder

    st.selectbox(
        "Folder",
        folders,
        index=None,
        key="filter_folder",
        format_func=shown,
        placeholder="Any folder",
        on_change=changed,
    )


def _dates(facets: Facets, changed: Callable[[], None]) -> None:
    if facets.taken_from is None and not (st.session_state["filter_taken_from"] or st.session_state["filter_taken_to"]):
        st.caption("No picture here says when it was taken.")
        return
    left, right = st.columns(2)
    limits = {"min_value": date(1826, 1, 1), "max_value": date.today(), "format": "YYYY-MM-DD", "on_change": changed}
    left.date_input("Taken from", key="filter_taken_from", **limits)
    right.date_input("to", key="filter_taken_to", **limits)


def _sizes(changed: Callable[[], None]) -> None:
    left, right = st.columns(2)
    left.number_input(
        "File from, MB", min_value=0.0, step=0.5, key="filter_min_mb", placeholder="any", on_change=changed
    )
    right.number_input("to, MB", min_value=0.0, step=0.5, key="filter_max_mb", placeholder="any", on_change=changed)
    st.number_input(
        "Shorter side at least, px", min_value=1, step=100, key="filter_min_px", placeholder="any", on_change=changed
    )


def _at(day: date | None, moment: time) -> datetime | None:
    return None if day is None else datetime.combine(day, moment)


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else int(megabytes * MEGABYTE)
