"""What a person sees when something is refused or breaks: one plain sentence, never a traceback."""

import contextlib
import logging
from collections.abc import Iterator

import streamlit as st

from app.errors import AppError
from app.ui import words

log = logging.getLogger(__name__)

BROKEN = "Something broke here. What you were doing is not lost: reload the page. The server's log says what it was."


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Around a page or a part of one: the rest of the page still stands when it fails."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (the boundary: logged with its traceback in show_error)
        show_error(error)


def show_error(error: Exception) -> bool:
    """True, which tells Streamlit that the error has been shown."""
    if isinstance(error, AppError):
        st.error(words.plain(str(error)), icon=":material/info:")
        return True
    log.error("a page failed", exc_info=error)
    st.error(BROKEN, icon=":material/error:")
    return True
