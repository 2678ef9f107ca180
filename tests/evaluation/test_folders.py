"""Folders as truth: who asks, who stands in the way, and what happens to a file that is no picture."""

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from app.cli.evaluate import show
from app.errors import InvalidInput, NotFound
from app.evaluation.folders import ClassScore, FolderReport, evaluate, find_exam, score_by_name
from app.vision.decoder import Decoder
from app.vision.preprocessing import DEFAULT
from tests.conftest import make_settings, paint
from tests.program import Program

CONTRACT = {"model", "queries", "database", "map", "recall_at_1", "recall_at_10", "seconds"}


@pytest.fixture(scope="module")
def exam_folder(tmp_path_factory) -> Path:
    """Two classes of three versions of a picture, a lone one, one of no class, a note, a broken one; distractors."""
    root = tmp_path_factory.mktemp("exam")
    for number, name in enumerate(("boats", "cats")):
        original = paint(root / "truth" / name / "original.jpg", number)
        with PIL.Image.open(original) as image:
            image.save(root / "truth" / name / "weak.jpg", quality=30)
            (root / "truth" / name / "below").mkdir()
            image.resize((128, 96)).save(root / "truth" / name / "below" / "small.png")
    paint(root / "truth" / "alone" / "one.jpg", 20)
    paint(root / "truth" / "of-no-class.jpg", 21)
    (root / "truth" / "boats" / "notes.txt").write_text("three boats\n")
    (root / "truth" / "cats" / "broken.jpg").write_bytes((root / "truth" / "of-no-class.jpg").read_bytes()[:900])
    for number in range(30, 34):
        paint(root / "others" / f"{number}.jpg", number)
    return root


def test_a_class_is_a_subfolder_and_all_else_stands_in_the_way(exam_folder):
    exam = find_exam(exam_folder / "truth", [exam_folder / "others", exam_folder / "truth" / "boats"])
    named = {str(path.relative_to(exam_folder)): name for path, name in exam.items()}
    assert named == {
        **{f"truth/boats/{file}": "boats" for file in ("original.jpg", "weak.jpg", "below/small.png")},
        **{f"truth/cats/{file}": "cats" for file in ("original.jpg", "weak.jpg", "below/small.png", "broken.jpg")},
        "truth/alone/one.jpg": "alone",
        "truth/of-no-class.jpg": None,
        **{f"others/{number}.jpg": None for number in range(30, 34)},
    }


def test_an_exam_without_two_of_a_kind_or_without_a_folder_is_refused(tmp_path, exam_folder):
    paint(tmp_path / "a" / "1.jpg", 1)
    paint(tmp_path / "b" / "2.jpg", 2)
    with pytest.raises(InvalidInput, match="no subfolder with two pictures: give one subfolder per class"):
        find_exam(tmp_path)
    with pytest.raises(InvalidInput, match="no subfolder with two pictures"):
        find_exam(exam_folder / "others")
    with pytest.raises(NotFound, match="is not there"):
        find_exam(exam_folder / "truth", [tmp_path / "nowhere"])


@pytest.fixture(scope="module")
def report(exam_folder, encoders, tmp_path_factory) -> FolderReport:
    exam, counted = find_exam(exam_folder / "truth", [exam_folder / "others"]), []
    with Decoder(make_settings(tmp_path_factory.mktemp("home"))) as decoder:
        made = evaluate(exam, decoder, encoders.named("untrained_vits14"), counted.append)
    assert counted == list(range(1, 14))
    return made


def test_versions_find_each_other_and_a_broken_file_is_named_and_left_out(report, exam_folder):
    assert (report.queries, report.database) == (6, 12)
    assert (report.map, report.recall_at_1, report.recall_at_10) == (1.0, 1.0, 1.0)
    assert report.classes == [ClassScore("boats", 3, 1.0), ClassScore("cats", 3, 1.0)]
    (broken,) = report.unreadable
    assert broken.path == str(exam_folder / "truth" / "cats" / "broken.jpg")
    assert "cut short" in broken.reason


def test_people_see_the_scores_and_what_was_left_out(report, capsys):
    show(report)
    shown = capsys.readouterr().out
    assert all(said in shown for said in ("6 among 12 pictures", "1.0000", "boats", "broken.jpg", DEFAULT))


def test_the_hardest_class_comes_first():
    vectors = np.eye(6, dtype=np.float32)
    vectors[1] = vectors[0]
    _, per_class = score_by_name(vectors, ["easy", "easy", "hard", "hard", None, None])
    assert [row.name for row in per_class] == ["hard", "easy"]
    assert per_class[0].map == pytest.approx(1 / 5)  # all four wrong ones are as near as the right one
    assert per_class[1].map == 1.0


def test_the_command_answers_as_the_contract_says(exam_folder, tmp_path, monkeypatch, capfd):
    asked = (exam_folder / "truth", "--distractors", exam_folder / "others", "--preprocessing", "grid224-v1", "--json")
    done = Program(tmp_path / "home").here(monkeypatch, capfd, "eval", "folders", *asked)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) >= CONTRACT
    assert (found["model"], found["preprocessing"], found["precision"]) == ("dinoseek_tiny14", "grid224-v1", "float32")
    assert (found["queries"], found["database"], len(found["unreadable"])) == (6, 12, 1)
    assert found["map"] == 1.0
    assert found["seconds"] > 0


def test_a_mode_nobody_knows_is_refused_in_one_line(exam_folder, tmp_path, monkeypatch, capfd):
    asked = ("eval", "folders", exam_folder / "truth", "--preprocessing", "stretch")
    done = Program(tmp_path / "home").here(monkeypatch, capfd, *asked)
    assert done.returncode == 1
    assert done.stderr.startswith("dinoseek: no preprocessing is called 'stretch': choose one of ")
