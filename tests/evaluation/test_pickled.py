"""A truth's pickle is read, and never executed: honest ones as every Python writes them, hostile ones refused."""

import os
import pickle
import sys

import numpy as np
import pytest

from app.errors import InvalidInput
from app.evaluation import pickled
from app.evaluation.pickled import read_pickle
from app.evaluation.refusal import NotData
from app.evaluation.truth import read_truth
from tests.evaluation.pickles import BOMBS, GLOBALS, calls, honest, python2

MOST_WORDS = 400  # of a refusal: a file must not fill a screen with itself
KINDS = {
    "lists": list,
    "tuples": tuple,
    "int64": lambda rows: np.array(rows, np.int64),
    "big-endian": lambda rows: np.array(rows, ">i4"),
    "uint8": lambda rows: np.array(rows, np.uint8),
    "float": lambda rows: np.array(rows, np.float64),
    "scalars": lambda rows: [np.int32(row) for row in rows],
    "objects": lambda rows: np.array(rows, object),
}
CALLS = calls()


def told(path) -> list:
    truth = read_truth(path)
    rows = [(q.path.name, q.box, q.easy.tolist(), q.hard.tolist(), q.junk.tolist()) for q in truth.questions]
    return [[picture.name for picture in truth.database], rows]


EXPECTED = [
    ["all_souls_1.jpg", "b.jpg", "c.jpg", "d.jpg"],
    [
        ("q_1.jpg", (1.5, 2.0, 30.25, 40.0), [0, 2], [1], [3]),
        ("q_2.jpg", (0.0, 0.0, 9.0, 8.0), [], [0, 3], []),
    ],
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_of_python_3_is_read(tmp_path, kind, protocol):
    (tmp_path / "gnd_x.pkl").write_bytes(pickle.dumps(honest(KINDS[kind]), protocol))
    assert told(tmp_path / "gnd_x.pkl") == EXPECTED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", range(3))
def test_every_protocol_of_python_2_is_read(tmp_path, kind, protocol):
    (tmp_path / "gnd_x.pkl").write_bytes(python2(honest(KINDS[kind]), protocol))
    assert told(tmp_path / "gnd_x.pkl") == EXPECTED


@pytest.mark.parametrize("protocol", range(6))
def test_names_and_boxes_may_be_arrays_too(tmp_path, protocol):
    value = honest()
    value["imlist"], value["qimlist"] = np.array(value["imlist"]), np.array(value["qimlist"], "S")
    for row in value["gnd"]:
        row["bbx"] = np.array(row["bbx"], np.float32)
    (tmp_path / "gnd_x.pkl").write_bytes(pickle.dumps(value, protocol))
    assert told(tmp_path / "gnd_x.pkl") == EXPECTED


@pytest.mark.parametrize("protocol", range(6))
def test_what_is_read_is_what_pickle_would_have_read(protocol):
    value = {
        "a": [None, True, False, 0, -1, 255, 65_536, -(2**31), 2**62, 0.1, -1e300],
        "b": ("ü\n'", "x" * 300, b"\0\xff", b""),
    }
    assert read_pickle(pickle.dumps(value, protocol)) == value
    table = np.arange(6.0).reshape(2, 3)
    arrays = [table, table.T, np.empty(0), np.array(["ä", "b"])]
    assert read_pickle(pickle.dumps(arrays, protocol)) == [array.tolist() for array in arrays]


@pytest.mark.parametrize("protocol", range(6))
def test_a_table_of_one_row_or_one_column_is_a_list(protocol):
    row = np.arange(4)
    assert read_pickle(pickle.dumps([row.reshape(1, 4), row.reshape(4, 1)], protocol)) == [[0, 1, 2, 3]] * 2


def refusal(tmp_path, data: bytes) -> str:
    path = tmp_path / "gnd_x.pkl"
    path.write_bytes(data)
    with pytest.raises(InvalidInput) as refused:
        read_truth(path)
    said = str(refused.value)
    assert said.startswith(f"{path} is no truth of a retrieval protocol: ")
    assert said.isprintable()
    assert len(said) - len(str(path)) < MOST_WORDS
    return said


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_one_line(tmp_path, name):
    refusal(tmp_path, BOMBS[name])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("one text encoded again and again", "it copies one value again and again"),
        ("one array filled again and again", "it copies one value again and again"),
        ("a key of tuples in tuples", "it has a key that is no text"),
        ("keys that are numbers", "it has a key that is no text"),
        ("an array of letters of no width", "it has an array of type 'U0'"),
        ("an array of nothing in 2^39 rows", "the file is a list where a dict belongs"),
        ("an array of forty sides", "no table of at most 2 sides"),
        ("an array of records", "it has an array of type 'i8,i8'"),
        ("an array of letters that are none", "it is damaged at byte"),
        ("an array of half a number", "it is damaged at byte"),
        ("an array of more than it has", "an array of 1 values for a shape of 65,535"),
        ("a declared frame of 2^63 bytes", "it announces 9,223,372,036,854,775,807 bytes"),
        ("a number of a million digits", "a number of 1,000,001 digits, over the limit of 64"),
        ("text of a million digits as a float", "a number of 1,000,000 digits, over the limit of 64"),
        ("a number of 2 GB", "a number of 2,147,483,647 bytes, over the limit of 32"),
        ("an endless file of steps", "it takes over"),
    ],
)
def test_a_bomb_is_refused_for_its_own_reason(tmp_path, monkeypatch, name, why):
    monkeypatch.setattr(pickled, "MOST_STEPS", 1_000_000)
    assert why in refusal(tmp_path, BOMBS[name])


@pytest.mark.parametrize("name", GLOBALS)
def test_a_global_is_never_called(tmp_path, monkeypatch, name):
    monkeypatch.setattr(os, "system", lambda *_: pytest.fail("it was called"))
    before = set(sys.modules)
    refusal(tmp_path, GLOBALS[name].replace(b"{it}", b"true"))
    assert set(sys.modules) == before


@pytest.mark.parametrize("name", CALLS)
def test_what_an_object_asks_to_be_called_is_not_called(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    refusal(tmp_path, CALLS[name])
    assert not (tmp_path / "HARM").exists()
    assert set(sys.modules) == before


def test_the_refusal_names_what_was_asked_for_and_a_way_out(tmp_path):
    said = refusal(tmp_path, GLOBALS["os.system"].replace(b"{it}", b"true"))
    assert "it names os.system, and data needs no more than numpy's arrays; get it again" in said
    assert said.endswith("or give the same truth as JSON")


def test_bytes_are_read_back_from_one_encoding_and_no_other(tmp_path):
    assert "it has bytes in an encoding that is not latin1" in refusal(tmp_path, GLOBALS["a codec of another name"])


def test_bytes_and_steps_have_a_limit(monkeypatch):
    monkeypatch.setattr(pickled, "MOST_BYTES", 10)
    with pytest.raises(NotData, match="its 11 bytes are over the limit of 10"):
        read_pickle(b"N" * 11)
    monkeypatch.setattr(pickled, "MOST_STEPS", 3)
    with pytest.raises(NotData, match="it takes over 3 steps"):
        read_pickle(b"NNNN.")


def test_every_cut_and_every_flipped_bit_is_read_or_refused():
    for protocol in (0, 2, 4, 5):
        data = pickle.dumps(honest(KINDS["int64"]), protocol)
        for at in range(0, len(data), 3):
            for broken in (data[:at], data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]):
                try:
                    read_pickle(broken)
                except NotData as reason:
                    assert len(str(reason)) < MOST_WORDS
