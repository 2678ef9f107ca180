"""The bytes of a pickle, and what those opcodes mean that stand for a value and nothing else."""

import codecs
import struct
from collections.abc import Callable

from app.evaluation.refusal import NotData

MOST_DIGITS = 64  # of a number in decimal; ids and sides have ten
MOST_INT_BYTES = 32


class Code:
    """Bytes to be taken from the front. No length is believed: what is not there is not waited for, or made room for.

    All of it raises NotData, and ValueError for a number or text that is none.
    """

    def __init__(self, data: bytes) -> None:
        self.at = 0
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self._data):
            raise NotData(f"it ends at byte {len(self._data):,} in the midst of {count:,} that it announces")
        taken, self.at = self._data[self.at : end], end
        return taken

    def number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def sized(self, size: int) -> bytes:
        """As many bytes as a number of `size` bytes says."""
        return self.take(self.number(size))

    def line(self) -> bytes:
        end = self._data.find(b"\n", self.at)
        if end < 0:
            raise NotData(f"it ends at byte {len(self._data):,} in the midst of a line")
        taken, self.at = self._data[self.at : end], end + 1
        return taken

    def text_line(self) -> str:
        return self.line().decode()

    def numeral(self) -> bytes:
        """A line with a number in decimal."""
        line = self.line()
        if len(line) > MOST_DIGITS:
            raise NotData(f"it has a number of {len(line):,} digits, over the limit of {MOST_DIGITS}")
        return line

    def digits(self) -> int:
        """A whole number in decimal; `L` behind it is Python 2's."""
        return int(self.numeral().removesuffix(b"L"))

    def frame(self) -> None:
        """How many bytes come in one piece: for those who read from a pipe."""
        announced, left = self.number(8), len(self._data) - self.at
        if announced > left:
            raise NotData(f"it announces {announced:,} bytes at byte {self.at:,}, and has {left:,}")


def _integer(code: Code) -> int | bool:
    line = code.numeral()
    if line in (b"00", b"01"):  # how bool was written before it had opcodes
        return line == b"01"
    return int(line)


def _long(code: Code, size: int) -> int:
    if (count := code.number(size)) > MOST_INT_BYTES:
        raise NotData(f"it has a number of {count:,} bytes, over the limit of {MOST_INT_BYTES}")
    return code.number(count, signed=True)


def _quoted(code: Code) -> bytes:
    """What Python 2's repr made of a str: letters and escapes in quotes."""
    line = code.line()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise NotData(f"it has text without quotes before byte {code.at:,}")
    return codecs.escape_decode(line[1:-1])[0]  # a table of escapes in C: what pickle itself reads them with


VALUES: dict[bytes, Callable[[Code], object]] = {
    b"N": lambda code: None,
    b"\x88": lambda code: True,
    b"\x89": lambda code: False,
    b"I": _integer,
    b"L": Code.digits,
    b"J": lambda code: code.number(4, signed=True),
    b"K": lambda code: code.number(1),
    b"M": lambda code: code.number(2),
    b"\x8a": lambda code: _long(code, 1),
    b"\x8b": lambda code: _long(code, 4),
    b"F": lambda code: float(code.numeral()),
    b"G": lambda code: struct.unpack(">d", code.take(8))[0],
    b"S": _quoted,
    b"T": lambda code: code.sized(4),
    b"U": lambda code: code.sized(1),
    b"V": lambda code: code.line().decode("raw-unicode-escape"),
    b"X": lambda code: code.sized(4).decode(),
    b"\x8c": lambda code: code.sized(1).decode(),
    b"\x8d": lambda code: code.sized(8).decode(),
    b"B": lambda code: code.sized(4),
    b"C": lambda code: code.sized(1),
    b"\x8e": lambda code: code.sized(8),
    b"\x96": lambda code: code.sized(8),
    b"]": lambda code: [],
    b"}": lambda code: {},
    b")": lambda code: (),
}
