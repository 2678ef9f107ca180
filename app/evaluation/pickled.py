"""Data out of a pickle without executing it: an interpreter that knows the opcodes of data and can call nothing.

A pickle is a program. Python's own Unpickler, even one that bars every global, still lets the file hash, grow and copy
without end. Here a global is a word that is never looked up: it must stand in the fixed table of `reductions`, whose
rows make bytes and lists. Each opcode adds one value at most, so time and memory are bounded by the file's length.
"""

from __future__ import annotations

from collections.abc import Callable

from app.evaluation.opcodes import VALUES, Code
from app.evaluation.reductions import BUILDERS, REDUCTIONS, Word, known_word
from app.evaluation.refusal import NotData, name_type

MOST_BYTES = 16 * 2**20  # a truth of 10,000 pictures takes half a megabyte
MOST_STEPS = 4_000_000  # opcodes; that truth takes 50,000. With the above: seconds and half a gigabyte at worst
NEWEST_PROTOCOL = 5


def read_pickle(data: bytes) -> object:
    """None, bool, int, float, str, bytes, tuple, list and dict; an array is a list, what Python 2 called str is bytes.

    Raises NotData, saying what stands against it: a global, an opcode or a length that no such data has.
    """
    if len(data) > MOST_BYTES:
        raise NotData(f"its {len(data):,} bytes are over the limit of {MOST_BYTES:,}")
    machine = _Machine(data)
    try:
        return machine.run()
    except (ValueError, OverflowError, MemoryError) as trouble:  # a number that is none, text in no encoding
        raise NotData(f"it is damaged at byte {machine.code.at:,} ({type(trouble).__name__})") from None


class _Machine:
    """A stack, the stacks below each open mark, and what was put aside under a number."""

    def __init__(self, data: bytes) -> None:
        self.code = Code(data)
        self._stack: list = []
        self._below: list[list] = []
        self._memo: dict[int, object] = {}
        self._copied = 0

    def run(self) -> object:
        for _ in range(MOST_STEPS):
            opcode = self.code.take(1)
            if opcode == b".":
                return self._pop()
            if opcode in VALUES:
                self._push(VALUES[opcode](self.code))
            elif opcode in ACTIONS:
                ACTIONS[opcode](self)
            else:
                raise NotData(f"it has opcode {opcode!r} at byte {self.code.at - 1:,}, which data does not need")
        raise NotData(f"it takes over {MOST_STEPS:,} steps")

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _pop(self) -> object:
        if not self._stack:
            raise NotData("it takes a value where none is")
        return self._stack.pop()

    def _pop_as(self, kind: type) -> object:
        value = self._pop()
        if not isinstance(value, kind):
            raise NotData(f"it has a {name_type(value)} where a {kind.__name__} belongs")
        return value

    def _top_as(self, kind: type) -> object:
        self._push(value := self._pop_as(kind))
        return value

    def _mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list:
        if not self._below:
            raise NotData("it closes a mark that it did not open")
        items, self._stack = self._stack, self._below.pop()
        return items

    def _append(self) -> None:
        value = self._pop()
        self._top_as(list).append(value)

    def _extend(self) -> None:
        values = self._since_mark()
        self._top_as(list).extend(values)

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._top_as(dict).update(_pairs([key, value]))

    def _set_items(self) -> None:
        values = self._since_mark()
        self._top_as(dict).update(_pairs(values))

    def _push_tuple(self, length: int) -> None:
        values = [self._pop() for _ in range(length)]
        self._push(tuple(reversed(values)))

    def _put(self, number: int) -> None:
        self._push(value := self._pop())
        self._memo[number] = value

    def _get(self, number: int) -> None:
        if number not in self._memo:
            raise NotData(f"it takes number {number}, which it has not put aside")
        self._push(self._memo[number])

    def _stack_global(self) -> None:
        name, module = self._pop_as(str), self._pop_as(str)
        self._push(known_word(module, name))

    def _reduce(self) -> None:
        arguments, word = self._pop_as(tuple), self._pop_as(Word)
        if word not in REDUCTIONS:
            raise NotData(f"it calls {word}, which is no function for data")
        self._count(arguments)
        self._push(REDUCTIONS[word](arguments))

    def _build(self) -> None:
        state = self._pop_as(tuple)
        self._push(thing := self._pop())
        if type(thing) not in BUILDERS:
            raise NotData(f"it gives a state to a {name_type(thing)}, which has none")
        self._count(state)
        BUILDERS[type(thing)](thing, state)

    def _count(self, parts: tuple) -> None:
        """What is copied stands in the file once: a few opcodes must not copy megabytes again and again."""
        self._copied += sum(len(part) for part in parts if isinstance(part, bytes | str | list))
        if self._copied > len(self.code):
            raise NotData("it copies one value again and again, which data does not need")

    def _protocol(self) -> None:
        if (number := self.code.number(1)) > NEWEST_PROTOCOL:
            raise NotData(f"it is of protocol {number}, newer than {NEWEST_PROTOCOL}")


def _pairs(values: list) -> dict:
    """Keys are text: tuples in tuples take time without end to hash, and numbers can be chosen to collide."""
    keys = values[::2]
    if len(values) % 2 or any(type(key) not in (str, bytes) for key in keys):
        raise NotData("it has a key that is no text")
    return dict(zip(keys, values[1::2], strict=True))


ACTIONS: dict[bytes, Callable[[_Machine], None]] = {
    b"\x80": _Machine._protocol,
    b"\x95": lambda it: it.code.frame(),
    b"(": _Machine._mark,
    b"l": lambda it: it._push(it._since_mark()),
    b"d": lambda it: it._push(_pairs(it._since_mark())),
    b"t": lambda it: it._push(tuple(it._since_mark())),
    b"\x85": lambda it: it._push_tuple(1),
    b"\x86": lambda it: it._push_tuple(2),
    b"\x87": lambda it: it._push_tuple(3),
    b"a": _Machine._append,
    b"e": _Machine._extend,
    b"s": _Machine._set_item,
    b"u": _Machine._set_items,
    b"p": lambda it: it._put(it.code.digits()),
    b"q": lambda it: it._put(it.code.number(1)),
    b"r": lambda it: it._put(it.code.number(4)),
    b"\x94": lambda it: it._put(len(it._memo)),
    b"g": lambda it: it._get(it.code.digits()),
    b"h": lambda it: it._get(it.code.number(1)),
    b"j": lambda it: it._get(it.code.number(4)),
    b"c": lambda it: it._push(known_word(it.code.text_line(), it.code.text_line())),
    b"\x93": _Machine._stack_global,
    b"R": _Machine._reduce,
    b"b": _Machine._build,
}
