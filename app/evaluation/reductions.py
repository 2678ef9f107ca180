"""The few globals that a pickle of numbers names, as words of a fixed table; each row makes bytes or lists.

No module is imported by name and nothing of the file is called. numpy reads buffers of numbers and text, of a type and
size that were looked at before.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.evaluation.refusal import NotData, shown

WIDTHS = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8)}  # bytes of a number, by kind
TEXT_WIDTHS = range(1, 513)  # letters; a width of none would let an array of nothing have any length
OBJECTS = "O"
ORDERS = {"<": "<", ">": ">", "=": "=", "|": "|"}
MOST_SIDES = 2  # of an array: a list, or rows of numbers


@dataclass(frozen=True)
class Word:
    """A global as the file names it: never looked up anywhere."""

    module: str
    name: str

    def __str__(self) -> str:
        return shown(f"{self.module}.{self.name}")


class Blank(list):
    """An array before it has its state; then the list of what is in it."""


@dataclass
class Kind:
    """A numpy dtype of numbers, text or objects: `i8`, `U12`, `O`."""

    code: str
    order: str = "="

    def read(self, raw: bytes) -> np.ndarray:
        """Raises ValueError for bytes that are no whole number of values, or no letters."""
        if self.code.startswith("U"):
            raw.decode("utf-32-be" if self.order == ">" else "utf-32-le")  # numpy would take any number for a letter
        return np.frombuffer(raw, np.dtype(self.order + self.code))


def known_word(module: object, name: object) -> Word:
    """Raises NotData for a global that is none of numpy's for plain arrays."""
    renamed = str(module).replace("numpy._core.", "numpy.core.")  # as numpy 2 calls it
    word = Word("builtins" if renamed == "__builtin__" else renamed, str(name))
    if word not in REDUCTIONS and word not in NAMED:
        raise NotData(f"it names {word}, and data needs no more than numpy's arrays")
    return word


def _kind(arguments: tuple) -> Kind:
    """`numpy.dtype("i8", …)`."""
    code = _text(arguments[0]) if arguments else ""
    width = int(code[1:]) if code[1:].isascii() and code[1:].isdigit() and len(code) < 5 else 0
    if code in ("O", "O8", "O4"):
        return Kind(OBJECTS)
    if width not in (TEXT_WIDTHS if code[:1] in ("U", "S") else WIDTHS.get(code[:1], ())):
        raise NotData(f"it has an array of type {shown(code)!r}, which holds neither numbers nor text")
    return Kind(code)


def _set_order(kind: Kind, state: tuple) -> None:
    order = ORDERS.get(_text(state[1])) if len(state) > 1 else None
    if order is None:
        raise NotData("it has an array whose byte order is none")
    kind.order = order


def _fill(blank: Blank, state: tuple) -> None:
    """`(1, shape, dtype, in_columns, bytes or list)`."""
    if len(state) != 5:
        raise NotData(f"it has an array whose state has {len(state)} parts instead of 5")
    _, shape, kind, in_columns, raw = state
    blank[:] = _list(raw, kind, shape, "F" if in_columns is True or in_columns == 1 else "C")


def _scalar(arguments: tuple) -> object:
    """`scalar(dtype, bytes)`."""
    kind, raw = _exactly(arguments, 2)
    return _list(raw, kind, (1,), "C")[0]


def _from_buffer(arguments: tuple) -> list:
    """`_frombuffer(bytes, dtype, shape, order)`: how protocol 5 writes an array."""
    raw, kind, shape, order = _exactly(arguments, 4)
    return _list(raw, kind, shape, "F" if order == "F" else "C")


def _list(raw: object, kind: object, shape: object, order: str) -> list:
    """As many values as the shape says, in rows; one row is a list, and so is one column: MATLAB knows no other."""
    sides = _sides(shape)
    if not isinstance(kind, Kind) or not isinstance(raw, list if kind.code == OBJECTS else bytes):
        raise NotData("it has an array without a type or without its values")
    if math.prod(sides) == 0:  # one of 0 × a thousand million is a list of as many lists otherwise
        return []
    if kind.code == OBJECTS:
        return _objects(raw, sides)
    values = kind.read(raw)
    _check_count(values.size, sides)
    return (values if 1 in sides else values.reshape(sides, order=order)).tolist()


def _objects(values: list, sides: tuple[int, ...]) -> list:
    """A list as it stands: numpy would look into lists within it, which may hold each other."""
    if len(sides) != 1:
        raise NotData("it has a table of objects, and data needs none")
    _check_count(len(values), sides)
    return list(values)


def _check_count(values: int, sides: tuple[int, ...]) -> None:
    if values != math.prod(sides):
        raise NotData(f"it has an array of {values:,} values for a shape of {math.prod(sides):,}")


def _sides(shape: object) -> tuple[int, ...]:
    sides = shape if type(shape) is tuple else ()
    if not 1 <= len(sides) <= MOST_SIDES or not all(type(side) is int and 0 <= side < 2**40 for side in sides):
        raise NotData(f"it has an array that is no list and no table of at most {MOST_SIDES} sides")
    return sides


def _encoded(arguments: tuple) -> bytes:
    """`_codecs.encode(text, "latin1")`: how Python 3 writes bytes for Python 2."""
    text, encoding = _exactly(arguments, 2)
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise NotData("it has bytes in an encoding that is not latin1")
    return text.encode("latin-1")


def _bytes(arguments: tuple) -> bytes:
    """`bytes()`: how the empty ones are written, and only those."""
    _exactly(arguments, 0)
    return b""


def _exactly(arguments: tuple, count: int) -> tuple:
    if len(arguments) != count:
        raise NotData(f"it makes a value of {len(arguments)} parts that has {count}")
    return arguments


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value) if isinstance(value, str) else ""


NAMED = {Word("numpy", "ndarray")}  # stands among the arguments of _reconstruct
REDUCTIONS: dict[Word, Callable[[tuple], object]] = {
    Word("numpy", "dtype"): _kind,
    Word("numpy.core.multiarray", "_reconstruct"): lambda arguments: Blank(),
    Word("numpy.core.multiarray", "scalar"): _scalar,
    Word("numpy.core.numeric", "_frombuffer"): _from_buffer,
    Word("_codecs", "encode"): _encoded,
    Word("builtins", "bytes"): _bytes,
}
BUILDERS: dict[type, Callable[[Any, tuple], None]] = {Blank: _fill, Kind: _set_order}
