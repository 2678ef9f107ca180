"""What is said of a file that is no data."""

MOST_SHOWN = 60  # characters of a name that a file brings along


class NotData(Exception):
    """Why a file is refused: the end of a sentence that begins with its path."""


def name_type(value: object) -> str:
    """Never the value itself: to print a list of lists of lists takes time without end."""
    return "list" if isinstance(value, list) else type(value).__name__


def shown(text: str) -> str:
    """A name out of a file, safe in a line of a terminal."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text[:MOST_SHOWN])
    return clean + ("…" if len(text) > MOST_SHOWN else "")
