"""How far a collection's change to another model is."""

import streamlit as st

from app.ingest.progress import Progress
from app.ui import words


def show(state: Progress) -> None:
    """Nothing where the collection keeps its model. The pages show the old model's answers until the change is made."""
    change = state.change
    if change is None:
        return
    verb = "Adding" if change.add_only else "Changing to"
    done = f"{verb} {words.plain(change.label)}: {change.done:,} of {change.total:,}"
    left = f"about {words.duration(state.change_eta_s)} left" if state.change_eta_s else ""
    st.progress(change.done_share, words.joined(done, left))
    if change.failed and not change.leave_behind:
        st.warning(
            f"{words.count(change.failed)} can't be embedded with it, so it is not made: put their files back and run "
            "`dinoseek collections switch` again, or with `--leave-behind`.",
            icon=":material/pause_circle:",
        )
