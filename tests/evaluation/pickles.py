"""Pickles of a truth as Python 2 and 3 write them, and hostile ones."""

import io
import pickle
import struct

import numpy as np


def honest(wrap=list) -> dict:
    """Four pictures, two queries; `wrap` makes the lists of rows."""
    rows = [
        {"bbx": [1.5, 2.0, 30.25, 40.0], "easy": wrap([0, 2]), "hard": wrap([1]), "junk": wrap([3])},
        {"bbx": [0.0, 0.0, 9.0, 8.0], "easy": wrap([]), "hard": wrap([300 % 4, 3]), "junk": wrap([])},
    ]
    return {"imlist": ["all_souls_1", "b", "c", "d"], "qimlist": ["q_1", "q_2"], "gnd": rows}


class Python2(pickle._Pickler):
    """What cPickle of Python 2 writes: text is a str of bytes, numpy is called as numpy 1 was."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_text(self, value: str | bytes) -> None:
        data = value.encode() if isinstance(value, str) else value
        if not self.bin:
            self.write(b"S" + repr(data)[1:].encode("ascii") + b"\n")
        elif len(data) < 256:
            self.write(b"U" + bytes([len(data)]) + data)
        else:
            self.write(b"T" + struct.pack("<i", len(data)) + data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_text


def python2(value: object, protocol: int) -> bytes:
    file = io.BytesIO()
    Python2(file, protocol, fix_imports=True).dump(value)
    return file.getvalue().replace(b"numpy._core", b"numpy.core")


class Calls:
    """Pickles to a call of anything."""

    def __init__(self, function, *arguments) -> None:
        self.reduction = function, arguments

    def __reduce__(self):
        return self.reduction


def number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")


def raw_array(shape: bytes, kind: bytes, raw: bytes, times: int = 1) -> bytes:
    """An array of any shape (opcodes), type and bytes; its state is set so many times."""
    blank = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
    dtype = b"cnumpy\ndtype\n(X" + number(len(kind), 4) + kind + b"\x89\x88tR"
    state = b"(K\x01" + shape + dtype + b"\x89B" + number(len(raw), 4) + raw + b"t"
    return b"\x80\x03" + blank + state + b"q\x00b" + b"h\x00b" * (times - 1) + b"."


ENCODE = b"c_codecs\nencode\n(h\x00X\x06\x00\x00\x00latin1tR"
LONG_TEXT = b"X" + number(20_000, 4) + b"x" * 20_000
BOMBS = {
    "nothing": b"",
    "text": b"imlist: a, b, c",
    "a declared length of 2^63 bytes": b"\x80\x04\x8e" + number(2**63 - 1, 8),
    "a declared text of 4 GB": b"X" + number(2**32 - 1, 4) + b"abc",
    "a declared frame of 2^63 bytes": b"\x80\x04\x95" + number(2**63 - 1, 8) + b"N.",
    "a bytearray of 2^62 bytes": b"\x80\x05\x96" + number(2**62, 8),
    "a number of 2 GB": b"\x80\x02\x8b" + number(2**31 - 1, 4) + b"\x01",
    "a number of negative length": b"\x80\x02\x8b" + b"\xff" * 4,
    "a number of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
    "text of a million digits as a float": b"F" + b"9" * 1_000_000 + b"\n.",
    "a number put aside that is not there": b"\x80\x02j" + number(2**32 - 1, 4) + b".",
    "a stack that is empty": b".",
    "a mark that is not open": b"t.",
    "an item without its list": b"K\x01K\x02a.",
    "a list extended by what is none": b"K\x01(K\x02e.",
    "a dict of odd length": b"(X\x01\x00\x00\x00ad.",
    "a key of tuples in tuples": b"})" + b"q\x00h\x00\x86" * 200 + b"K\x01s.",
    "keys that are numbers": b"}" + b"K\x01K\x01s.",
    "an endless file of steps": b"\x80\x02" + b"NN\x86" * 20_000 + b"\x80\x02" * 2_000_000,
    "a newer protocol": b"\x80\x06N.",
    "lists in lists": b"]" * 300_000 + b"a" * 299_999 + b".",
    "tuples in tuples": b")" + b"\x85" * 300_000 + b".",
    "a list that holds itself": b"]q\x00h\x00a.",
    "a list of itself doubled each time": b"]" + b"q\x00h\x00\x86" * 1_000 + b".",
    "one text encoded again and again": b"(" + LONG_TEXT + b"q\x00" + ENCODE * 900 + b"t.",
    "one array filled again and again": raw_array(b"M\x88\x13\x85", b"f8", b"\0" * 40_000, times=200),
    "an array of nothing in 2^39 rows": raw_array(b"\x8a\x05" + number(2**38, 5) + b"K\x00\x86", b"i8", b""),
    "an array of letters of no width": raw_array(b"\x8a\x05" + number(2**38, 5) + b"\x85", b"U0", b""),
    "an array of more than it has": raw_array(b"M\xff\xff\x85", b"i8", b"\0" * 8),
    "an array of half a number": raw_array(b"K\x01\x85", b"i8", b"\0" * 7),
    "an array of negative length": raw_array(b"J\xff\xff\xff\xff\x85", b"i8", b"\0" * 8),
    "an array of forty sides": raw_array(b"(" + b"K\x01" * 40 + b"t", b"i8", b"\0" * 8),
    "an array of records": raw_array(b"K\x01\x85", b"i8,i8", b"\0" * 16),
    "an array of voids": raw_array(b"K\x01\x85", b"V8", b"\0" * 8),
    "an array of objects in bytes": raw_array(b"K\x01\x85", b"O8", b"\x41" * 8),
    "an array of letters that are none": raw_array(b"K\x01\x85", b"U1", b"\xff" * 4),
    "a dtype of a dict": b"cnumpy\ndtype\n(}tR.",
    "a scalar of nothing": b"cnumpy.core.multiarray\nscalar\n(NNtR.",
    "a state for a list": b"]K\x01\x85b.",
    "a state for a dict": b"}}b.",
    "a call of a text": b"X\x02\x00\x00\x00os)R.",
    "a call of ndarray": b"cnumpy\nndarray\nK\x01\x85R.",
    "an escape that is none": b"S'\\x'\n.",
    "code in place of text": b"S'a' + open('/x').read() + 'b'\n.",
    "text in no encoding": b"X\x01\x00\x00\x00\xff.",
    "a global in two lines of noise": b"c\xff\xfe\n\n.",
}
GLOBALS = {
    "os.system": b"cos\nsystem\n(X\x04\x00\x00\x00{it}tR.",
    "builtins.eval": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93X\x04\x00\x00\x00{it}\x85R.",
    "__builtin__.eval": b"c__builtin__\neval\n(S'{it}'\ntR.",
    "an instance": b"(S'{it}'\nios\nsystem\n.",
    "an object": b"(cos\nsystem\nS'{it}'\no.",
    "a new object": b"\x80\x02csubprocess\nPopen\nX\x04\x00\x00\x00{it}\x85\x81.",
    "a persistent id": b"P{it}\n.",
    "a binary persistent id": b"X\x04\x00\x00\x00{it}Q.",
    "an extension": b"\x80\x02\x82\x01.",
    "a buffer outside": b"\x80\x05\x97.",
    "numpy's loader": b"cnumpy\nload\n(X\x04\x00\x00\x00{it}tR.",
    "numpy's test runner": b"cnumpy.testing._private.utils\nruncstring\n(X\x04\x00\x00\x00{it}NtR.",
    "a walk by dots": b"\x80\x04\x8c\x05numpy\x8c\x0fos.system.exec_\x93.",
    "a known name with more behind it": b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__class__\x93.",
    "getattr": b"cbuiltins\ngetattr\n(cnumpy\nndarray\nX\x04\x00\x00\x00{it}tR.",
    "a codec that runs": b"c_codecs\ndecode\n(X\x04\x00\x00\x00{it}X\x03\x00\x00\x00hextR.",
    "a codec of another name": b"c_codecs\nencode\n(X\x04\x00\x00\x00{it}X\x04\x00\x00\x00zlibtR.",
    "a reconstructor": b"ccopyreg\n_reconstructor\n(cnumpy\nndarray\ncbuiltins\nobject\nNtR.",
}


def calls() -> dict[str, bytes]:
    """What Python itself writes for objects whose `__reduce__` calls something, in every protocol."""
    import os
    import subprocess

    hostile = {
        "system": Calls(os.system, "touch HARM"),
        "eval": Calls(eval, "open('HARM', 'w')"),
        "exec": Calls(exec, "open('HARM', 'w')"),
        "popen": Calls(subprocess.Popen, ["touch", "HARM"]),
        "open": Calls(open, "HARM", "w"),
        "in a list": [1, {"imlist": Calls(os.system, "touch HARM")}],
        "fromfile": Calls(np.fromfile, "HARM"),
        "import": Calls(__import__, "antigravity"),
        "range": range(10**9),
        "set": {1, 2},
        "complex": 1j,
    }
    return {
        f"{name}-{protocol}": pickle.dumps(value, protocol) for name, value in hostile.items() for protocol in range(6)
    }
