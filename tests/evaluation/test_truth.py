"""What a truth may say, in either form, and what is refused before a picture is looked at."""

import json
from pathlib import Path

import pytest

from app.errors import InvalidInput, NotFound
from app.evaluation import truth
from app.evaluation.truth import read_truth
from tests.evaluation.pickles import honest


def written(folder: Path, **changes) -> Path:
    (folder / "gnd_x.json").write_text(json.dumps(honest() | changes))
    return folder / "gnd_x.json"


def with_row(folder: Path, **changes) -> Path:
    rows = honest()["gnd"]
    return written(folder, gnd=[rows[0] | changes, rows[1]])


def test_json_says_the_same_as_the_pickle(tmp_path):
    found = read_truth(written(tmp_path))
    assert (found.name, found.database[0].name) == ("x", "all_souls_1.jpg")
    assert all(path.parent == tmp_path / "jpg" for path in found.database)
    (first, second) = found.questions
    assert (first.path.name, first.box, first.easy.tolist()) == ("q_1.jpg", (1.5, 2, 30.25, 40), [0, 2])
    assert (second.hard.tolist(), second.junk.tolist()) == ([0, 3], [])


def test_a_picture_may_have_another_ending_or_have_it_in_its_name_or_lie_in_a_folder_below(tmp_path):
    for name in ("b.png", "c.jpeg", "below/d.webp", "e", "e.jpg"):
        path = tmp_path / "jpg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = read_truth(written(tmp_path, imlist=["b", "c", "below/d.webp", "e"]))
    assert [path.relative_to(tmp_path / "jpg").as_posix() for path in found.database] == [
        "b.png",
        "c.jpeg",
        "below/d.webp",
        "e.jpg",
    ]


def test_without_a_box_the_whole_picture_is_asked_for(tmp_path):
    assert read_truth(with_row(tmp_path, bbx=None)).questions[0].box is None


NAMES = ["/etc/passwd", "../x", "a/../../x", "", ".", "a\0b", "a\nb", "a" * 256, 5, None, ["a"]]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["imlist", "qimlist"])
def test_a_name_that_leads_out_of_the_folder_or_is_none_is_refused(tmp_path, kind, name):
    with pytest.raises(InvalidInput, match=r"names no picture of jpg/; get it again|where a name belongs") as refused:
        read_truth(written(tmp_path, **{kind: [name, *honest()[kind][1:]]}))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("row", [4, -1, 1.5, "0", True, None, 10**400, 1e300, [0]])
@pytest.mark.parametrize("kind", ["easy", "hard", "junk"])
def test_a_row_that_is_none_of_the_database_s_is_refused(tmp_path, kind, row):
    with pytest.raises(InvalidInput, match=f"{kind} of query 1 has a row that is none of 0 to 3"):
        read_truth(with_row(tmp_path, **{kind: [0, row]}))


@pytest.mark.parametrize(
    "box", [[0, 0, 1], [0, 0, 1, "2"], [0, 0, 0, 9], [9, 0, 1, 9], [0, 0, 1, 1e12], "box", [None] * 4]
)
def test_a_box_that_is_none_is_refused(tmp_path, box):
    with pytest.raises(InvalidInput, match=r"bbx of query 1 (is not four numbers|has no area)"):
        read_truth(with_row(tmp_path, bbx=box))


@pytest.mark.parametrize("box", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_box_of_no_numbers_is_refused(tmp_path, box):
    path = written(tmp_path)
    path.write_text(path.read_text().replace("30.25", box))
    with pytest.raises(InvalidInput, match="bbx of query 1 is not four numbers"):
        read_truth(path)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"imlist": None}, "'imlist' is a NoneType where a list belongs"),
        ({"gnd": {}}, "'gnd' is a dict where a list belongs"),
        ({"gnd": []}, "it has 2 queries and 0 answers"),
        ({"gnd": [1, 2]}, "query 1 is a int where a dict belongs"),
        ({"gnd": [{"bbx": None}] * 2}, "'easy' is a NoneType where a list belongs"),
        ({"imlist": []}, "it names no pictures, or no queries"),
        ({"qimlist": [], "gnd": []}, "it names no pictures, or no queries"),
    ],
)
def test_a_truth_that_lacks_something_is_refused_by_name(tmp_path, changes, why):
    with pytest.raises(InvalidInput, match=f"is no truth of a retrieval protocol: {why}; get it again"):
        read_truth(written(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", "[]", "5", "{", "[" * 200_000, "1" * 100_000, "\xff", '{"imlist": [}'])
def test_what_is_no_such_json_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "gnd_x.json").write_text(text, encoding="latin-1")
    with pytest.raises(InvalidInput, match="is no truth of a retrieval protocol") as refused:
        read_truth(tmp_path / "gnd_x.json")
    assert str(refused.value).isprintable()


def test_a_file_that_is_too_large_or_not_there_is_refused(tmp_path, monkeypatch):
    with pytest.raises(NotFound, match=r"can't be read \(No such file or directory\): check the path"):
        read_truth(tmp_path / "gnd_x.json")
    monkeypatch.setattr(truth, "MOST_BYTES", 10)
    with pytest.raises(InvalidInput, match="its bytes are over the limit of 10"):
        read_truth(written(tmp_path))
