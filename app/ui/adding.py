"""Pictures into a collection: from this device, from a folder of the machine; how far it is; what was refused."""

from urllib.parse import quote

import streamlit as st

from app.api.face import Face
from app.ingest import absence
from app.library import ChangeFacts, CollectionFacts
from app.ui import changing, failures, folders, parts, refused, words, work

FILES_AT_ONCE = 200  # more goes faster by folder
LOOK_EVERY_S, LOOK_IDLE_S = 1.0, 5.0


def panel(face: Face, facts: CollectionFacts) -> None:
    # open in an empty collection, and open it stays: what became of an upload is said inside
    opened = st.session_state.setdefault(f"adding {facts.id}", not facts.images)
    with st.expander("Add pictures", icon=":material/add_photo_alternate:", expanded=opened):
        here, machine = st.tabs(["From this device", "A folder on the server's machine"])
        with here:
            _uploader(face, facts.name)
        with machine:
            _folder(face, facts.name)
    _follow(face, facts)


def _uploader(face: Face, name: str) -> None:
    parts.uploader(
        f"uploader {name}",
        url=f"/api/uploads/{quote(name, safe='')}",
        ticket=face.links.ticket(f"uploads/{name}"),
        max_bytes=face.resources.settings.upload_max_bytes,
        max_files=FILES_AT_ONCE,
        on_change=lambda: None,  # the page is drawn again: new pictures wait, or were refused
    )


def _folder(face: Face, name: str) -> None:
    roots = [str(root) for root in face.resources.settings.allowed_roots]
    if not roots:
        st.info("No folder may be read from here: name some in DINOSEEK_ALLOWED_ROOTS.", icon=":material/folder_off:")
        return
    with st.form("folder", border=False):
        text = st.text_input("Folder", placeholder=roots[0], help=words.plain(f"Below {', '.join(roots)}"))
        st.caption("The files stay where they are; dinoseek remembers their paths.")
        asked = st.form_submit_button("Add this folder", type="primary")
    if asked:
        with failures.plainly():
            folders.start(face.resources, name, folders.allowed(face.resources.settings, text))


def _follow(face: Face, facts: CollectionFacts) -> None:
    """How far the collection is: looked at every second while there is work, seldom while there is none."""
    busy = _busy(facts.name, facts.pending, facts.change)
    every_s = max(LOOK_EVERY_S if busy else LOOK_IDLE_S, face.lookout.pause_s(facts.name))
    st.fragment(_progress, run_every=every_s)(face, facts, busy)


def _busy(name: str, waiting: int, change: ChangeFacts | None) -> bool:
    reading = folders.reading(name)
    return bool(waiting or (change and change.waiting) or (reading and reading.going))


def _progress(face: Face, drawn: CollectionFacts, busy_when_drawn: bool) -> None:
    """Looks at the ledger; has the whole page drawn again when work began or ended, and for the first pictures."""
    state = face.lookout.progress(drawn.name)
    _show_reading(drawn.name)
    _show_away(face, drawn.name)
    if state.waiting:
        work.show(state)
    changing.show(state)
    refused.show(face, drawn.name, state.failed)
    changed = _busy(drawn.name, state.waiting, state.change) != busy_when_drawn
    made = bool(state.change) != bool(drawn.change)
    if changed or made or (state.ready and not drawn.ready):
        st.rerun()


def _show_reading(name: str) -> None:
    reading = folders.reading(name)
    if reading is None:
        return
    if reading.refusal:
        st.error(words.plain(reading.refusal), icon=":material/info:")
    elif reading.going:
        share = reading.done / reading.found if reading.found else 0.0
        st.progress(
            share, f"Reading {words.plain(str(reading.folder))}: {reading.done:,} of {reading.found:,} files found"
        )
    else:
        counts = reading.report.counts
        told = [f"{counts['added']:,} added", f"{counts['known']:,} already here"]
        told += [
            f"{counts[kind]:,} {word}"
            for kind, word in (("failed", "refused"), ("skipped", "no pictures"))
            if counts[kind]
        ]
        st.caption(f"{words.plain(str(reading.folder))}: {words.joined(*told)}")


def _show_away(face: Face, name: str) -> None:
    for source in absence.away(face.resources, name):
        told = f"{source.address} is away: {source.reason} Its pictures stay, and what waits goes on when it is back."
        st.warning(words.plain(told), icon=":material/eject:")
