"""`dinoseek eval revisited`: its JSON, its table, what is said of missing pictures, its doors."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import paint
from tests.program import Program

CONTRACT = {"set", "model", "queries", "database", "easy", "medium", "hard", "embedded", "kept", "missing", "seconds"}
SCORES = {"queries", "map", "mp_at_1", "mp_at_5", "mp_at_10"}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return Program(tmp_path_factory.mktemp("cli") / "home")


@pytest.fixture(scope="module")
def layout(tmp_path_factory) -> Path:
    """Two queries: one finds its copy, which is easy; nobody has anything hard."""
    folder = tmp_path_factory.mktemp("layout")
    for number in range(4):
        paint(folder / "jpg" / f"{number}.jpg", number)
    shutil.copy(folder / "jpg" / "0.jpg", folder / "jpg" / "copy.jpg")
    rows = [{"bbx": [0, 0, 160, 120], "easy": [0], "hard": [], "junk": [1]}]
    rows += [{"bbx": [8.5, 8.5, 120, 90], "easy": [], "hard": [], "junk": []}]
    truth = {"imlist": ["copy", "2", "3", "lost"], "qimlist": ["0", "1"], "gnd": rows}
    (folder / "gnd_layout.json").write_text(json.dumps(truth))
    paint(folder / "others" / "9.jpg", 9)
    return folder


@pytest.fixture
def asked(program, layout, monkeypatch, capfd):
    def ask(*options: object):
        return program.here(monkeypatch, capfd, "eval", "revisited", layout, *options)

    return ask


def test_it_answers_as_the_contract_says(asked, layout):
    done = asked("--side", "112", "--distractors", layout / "others", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) >= CONTRACT
    assert set(found["easy"]) == set(found["medium"]) == set(found["hard"]) == SCORES
    assert (found["set"], found["model"], found["side_px"]) == ("layout", "dinoseek_tiny14", 112)
    assert (found["preprocessing"], found["scales"], found["query_boxes"]) == ("squash168-v1@112", [1.0], True)
    assert (found["queries"], found["database"], found["distractors"], found["missing"]) == (2, 5, 1, 1)
    assert found["easy"] == {"queries": 1, "map": 1.0, "mp_at_1": 1.0, "mp_at_5": 1.0, "mp_at_10": 1.0}
    assert found["hard"] == {"queries": 0, "map": None, "mp_at_1": None, "mp_at_5": None, "mp_at_10": None}
    (lost,) = found["unreadable"]
    assert lost["path"] == str(layout / "jpg" / "lost.jpg")
    assert f"{layout}/jpg/lost.jpg: the file can't be read: No such file" in done.stderr.replace("\n", " ")
    assert "pictures that could not be read: 1; these are no figures of the whole set" in done.stderr


def test_people_see_the_protocol_s_table(asked):
    done = asked("--side", "112", "--scale", "1", "--scale", "0.5", "--whole-queries")
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines() if line.startswith(("easy", "hard"))] == [
        ["easy", "1", "100.00", "100.00", "100.00", "100.00"],
        ["hard", "0", "–", "–", "–", "–"],
    ]
    assert "squash168-v1@112, at scales 1, 0.5" in done.stdout
    assert "2, whole" in done.stdout


DOORS = {
    "no truth": (("{folder}/jpg",), "has no gnd_NAME.pkl and no gnd_NAME.json"),
    "a truth that is not there": (("{folder}", "--truth", "{folder}/gnd_y.pkl"), "can't be read (No such file"),
    "a truth that runs": (
        ("{folder}", "--truth", "{folder}/gnd_run.pkl"),
        "it names os.system, and data needs",
    ),
    "a truth that is none": (("{folder}", "--truth", "{folder}/jpg/1.jpg"), "is no truth of a retrieval protocol"),
    "a side between two": (("{folder}", "--side", "225"), "the network takes multiples of 14 up to 2044; choose 224"),
    "a scale of nothing": (("{folder}", "--scale", "0"), "scales 0: give 1 to 5 numbers over 0 and up to 4"),
    "two scales of one side": (("{folder}", "--scale", "1", "--scale", "0.99"), "give each side once"),
    "distractors that are not there": (("{folder}", "--distractors", "{folder}/none"), "is not there: check the path"),
    "an unknown preprocessing": (("{folder}", "--preprocessing", "stretch"), "no preprocessing is called 'stretch'"),
    "an unknown model": (("{folder}", "--model", "resnet"), "resnet"),
    "no weights": (("{folder}", "--model", "dinov2_vitl14"), "dinoseek models pull dinov2_vitl14"),
}


@pytest.mark.parametrize("door", DOORS)
def test_bad_input_is_one_line(program, layout, door, monkeypatch, capfd):
    (layout / "gnd_run.pkl").write_bytes(b"cos\nsystem\n(X\x04\x00\x00\x00truetR.")
    arguments, said = DOORS[door]
    arguments = [argument.format(folder=layout) for argument in arguments]
    arguments += [] if "--truth" in arguments else ["--truth", layout / "gnd_layout.json"] * (door != "no truth")
    done = program.here(monkeypatch, capfd, "eval", "revisited", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("dinoseek: ")
    assert said in done.stderr
    assert done.stderr.strip().count("\n") == 0
