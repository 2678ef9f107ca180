"""Revisited Oxford/Paris from the images to the table, beside the protocol written out in loops."""

import json
import multiprocessing
import os
import pickle
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from app.encoders import Encoders
from app.errors import InvalidInput, NotFound, ServiceUnavailable
from app.evaluation.kept import FILE_NAME, KeptVectors
from app.evaluation.revisited import RevisitedReport, evaluate, find_distractors, looks
from app.evaluation.truth import Truth, find_truth, read_truth
from app.vision.decoder import Decoder
from app.vision.pixels import prepare
from tests.conftest import make_settings, paint

SIDES = ("inside224-v1@168", "inside224-v1@112")
SCALES = (1.0, 2 / 3)


@pytest.fixture
def encoder(encoders):
    return encoders.named("dinoseek_tiny14", SIDES[0])


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home, encoder, decoder) -> Callable[..., RevisitedReport]:
    return partial(measured, home, encoder, decoder)


def measured(home: Path, encoder, decoder, truth: Truth, scales=SCALES, **options) -> RevisitedReport:
    with KeptVectors(home, make_settings(home).max_file_bytes) as kept:
        return evaluate(truth, looks(SIDES[0], scales), decoder, encoder, kept, **options)


def described(encoder, picture: PIL.Image.Image) -> np.ndarray:
    """By Pillow and the encoder alone."""
    mean = np.mean(encoder.embed([prepare(picture, None, name) for name in SIDES]), axis=0)
    return mean / np.linalg.norm(mean)


def written_out(ranking: list[int], right: set[int], junk: set[int]) -> list[float] | None:
    """Average precision and precision at 1, 5 and 10 as the original's text has them, place by place."""
    if not right:
        return None
    ranks, area = [], 0.0
    for row in (row for row in ranking if row not in junk):
        ranks.append(row in right)
        if ranks[-1]:
            before = 1.0 if len(ranks) == 1 else sum(ranks[:-1]) / (len(ranks) - 1)
            area += (before + sum(ranks) / len(ranks)) / 2
    last = max(place for place, is_right in enumerate(ranks, start=1) if is_right)
    return [area / len(right), *(sum(ranks[: min(last, k)]) / min(last, k) for k in (1, 5, 10))]


def table(folder: Path, encoder) -> dict[str, list[float]]:
    told = pickle.loads((folder / "gnd_scenes.pkl").read_bytes())
    with_ending = {name: PIL.Image.open(folder / "jpg" / f"{name}.jpg") for name in told["imlist"] + told["qimlist"]}
    database = np.stack([described(encoder, with_ending[name]) for name in told["imlist"]])
    rows: dict[str, list] = {"easy": [], "medium": [], "hard": []}
    for name, gnd in zip(told["qimlist"], told["gnd"], strict=True):
        ranking = np.argsort(-(database @ described(encoder, with_ending[name].crop(gnd["bbx"])))).tolist()
        easy, hard, junk = (set(gnd[key].tolist()) for key in ("easy", "hard", "junk"))
        rows["easy"].append(written_out(ranking, easy, junk | hard))
        rows["medium"].append(written_out(ranking, easy | hard, junk))
        rows["hard"].append(written_out(ranking, hard, junk | easy))
    return {name: np.mean([row for row in found if row], axis=0).tolist() for name, found in rows.items()}


def test_the_painted_set_has_all_the_protocol_knows(scenes):
    truth = read_truth(find_truth(scenes))
    assert (truth.name, len(truth.questions), len(truth.database)) == ("scenes", 10, 24)
    for kind in ("easy", "hard", "junk"):
        assert 0 < sum(len(getattr(question, kind)) > 0 for question in truth.questions) < 10


def test_from_the_images_to_the_table(scenes, encoder, run):
    report, expected = run(read_truth(find_truth(scenes))), table(scenes, encoder)
    for name in ("easy", "medium", "hard"):
        scores = getattr(report, name)
        measured = [scores.map, scores.mp_at_1, scores.mp_at_5, scores.mp_at_10]
        assert measured == pytest.approx(expected[name], abs=1e-9)
    assert (report.queries, report.database, report.missing, report.unreadable) == (10, 24, 0, [])
    assert (report.set, report.preprocessing, report.side_px) == ("scenes", SIDES[0], 168)


def test_nothing_is_embedded_twice_and_what_is_kept_gives_the_same_table(scenes, run, monkeypatch):
    truth = read_truth(find_truth(scenes))
    first = run(truth, (1.0,))
    assert (first.embedded, first.kept) == (34, 0)
    second = run(truth)
    assert (second.embedded, second.kept) == (34, 34)  # one scale more
    whole = run(truth, query_boxes=False)
    assert (whole.embedded, whole.kept) == (20, 48)  # the ten queries at two scales
    assert whole.medium.map != second.medium.map
    monkeypatch.setattr(Decoder, "views", lambda *_: pytest.fail("nothing is left to decode"))
    monkeypatch.setattr("app.evaluation.kept.read_regular_file", lambda *_: pytest.fail("nothing is left to read"))
    again = run(truth)
    assert (again.embedded, again.kept) == (0, 68)
    assert (again.easy, again.medium, again.hard) == (second.easy, second.medium, second.hard)


def test_the_same_bytes_under_two_names_are_embedded_once(tmp_path, run):
    for number in range(3):
        paint(tmp_path / "jpg" / f"{number}.jpg", number)
    shutil.copy(tmp_path / "jpg" / "1.jpg", tmp_path / "jpg" / "twin.jpg")
    report = run(read_truth(simple(tmp_path, ["1", "2", "twin"], ["0"], easy=[0])), (1.0,))
    assert (report.embedded, report.database) == (3, 3)


def test_a_file_that_has_changed_is_embedded_anew(tmp_path, run):
    truth = read_truth(simple(tmp_path, ["1", "2"], ["0"], easy=[0]))
    for number in range(3):
        paint(tmp_path / "jpg" / f"{number}.jpg", number)
    run(truth, (1.0,))
    paint(tmp_path / "jpg" / "1.jpg", 9, (161, 120))
    assert run(truth, (1.0,)).embedded == 1


def test_a_file_that_changes_between_reading_and_decoding_is_named_and_nothing_wrong_is_kept(tmp_path, run):
    truth = read_truth(simple(tmp_path, ["1", "2"], ["0"], easy=[0]))
    for number in range(3):
        paint(tmp_path / "jpg" / f"{number}.jpg", number)

    def repaint(stage: str, done: int, _total: int) -> None:
        if (stage, done) == ("embedding", 0):
            paint(tmp_path / "jpg" / "1.jpg", 9, (161, 120))

    report = run(truth, (1.0,), on_progress=repaint)
    assert (report.missing, report.embedded) == (1, 2)
    assert "the file changed while it was read" in report.unreadable[0].reason
    assert run(truth, (1.0,)).embedded == 1


def simple(folder: Path, database: list[str], queries: list[str], **rows) -> Path:
    """A truth as JSON in which every query asks for the same."""
    gnd = [{"bbx": [0, 0, 80, 60], "easy": [], "hard": [], "junk": []} | rows for _ in queries]
    (folder / "gnd_simple.json").write_text(json.dumps({"imlist": database, "qimlist": queries, "gnd": gnd}))
    return folder / "gnd_simple.json"


def test_bad_and_missing_pictures_are_named_and_what_is_missing_counts_as_not_found(tmp_path, run):
    for number in range(4):
        paint(tmp_path / "jpg" / f"{number}.jpg", number)
    shutil.copy(tmp_path / "jpg" / "0.jpg", tmp_path / "jpg" / "twin.jpg")
    (tmp_path / "jpg" / "broken.jpg").write_bytes((tmp_path / "jpg" / "1.jpg").read_bytes()[:900])
    (tmp_path / "jpg" / "link.jpg").symlink_to(tmp_path / "jpg" / "2.jpg")
    names = ["twin", "gone", "broken", "2", "link"]
    report = run(read_truth(simple(tmp_path, names, ["0", "nowhere"], easy=[0, 1])), query_boxes=False)
    assert (report.queries, report.database, report.missing) == (1, 5, 4)
    assert report.easy.map == 0.5  # one of two is found, and it is the first
    reasons = {Path(row.path).name: row.reason for row in report.unreadable}
    assert set(reasons) == {"gone.jpg", "broken.jpg", "link.jpg", "nowhere.jpg"}
    assert "No such file" in reasons["gone.jpg"]
    assert "cut short" in reasons["broken.jpg"]


def test_a_box_beside_its_picture_is_named_and_the_query_is_not_asked(tmp_path, run):
    for number in range(3):
        paint(tmp_path / "jpg" / f"{number}.jpg", number)
    truth = simple(tmp_path, ["1"], ["0", "2"], easy=[0])
    told = json.loads(truth.read_text())
    told["gnd"][0]["bbx"] = [500, 0, 600, 90]
    truth.write_text(json.dumps(told))
    report = run(read_truth(truth))
    assert (report.queries, report.missing) == (1, 1)
    assert "is no part of a picture 160 px wide" in report.unreadable[0].reason


def test_a_set_without_its_pictures_is_refused(tmp_path, run):
    truth = read_truth(simple(tmp_path, ["1"], ["0"], easy=[0]))
    with pytest.raises(InvalidInput, match=r"none of the queries can be read, as .*0\.jpg: .*; lay the pictures"):
        run(truth)
    paint(tmp_path / "jpg" / "0.jpg", 0)
    with pytest.raises(InvalidInput, match="none of the pictures of the database can be read"):
        run(truth)


def test_distractors_stand_in_the_way_and_the_set_s_own_pictures_are_none(tmp_path, run):
    for number in range(3):
        paint(tmp_path / "jpg" / f"{number}.jpg", number)
    shutil.copy(tmp_path / "jpg" / "0.jpg", paint(tmp_path / "others" / "below" / "nearer.jpg", 7))
    truth = read_truth(simple(tmp_path, ["1", "2"], ["0"], easy=[0, 1]))
    others = find_distractors(truth, [tmp_path / "others", tmp_path / "jpg"])
    assert [path.name for path in others] == ["nearer.jpg"]
    report = run(truth, query_boxes=False, distractors=others)
    assert (report.database, report.distractors) == (3, 1)
    assert report.easy.map == pytest.approx(((0 + 1 / 2) / 2 + (1 / 2 + 2 / 3) / 2) / 2)


def test_progress_is_told_for_reading_and_embedding(scenes, run):
    truth, told = read_truth(find_truth(scenes)), []
    run(truth, on_progress=lambda *row: told.append(row))
    assert told[:34] == [("reading", number, 34) for number in range(1, 35)]
    assert told[34:] == [("embedding", done, 34) for done in (0, 16, 32, 34)]


def test_a_killed_run_goes_on(tmp_path, home, run):
    for number in range(32):
        paint(tmp_path / "jpg" / f"{number}.jpg", number)
    truth = simple(tmp_path, [str(number) for number in range(1, 32)], ["0"], easy=[0])
    killed = multiprocessing.get_context("spawn").Process(target=run_until_killed, args=(home, truth))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    report = run(read_truth(truth), (1.0,))
    assert (report.kept, report.embedded) == (16, 16)


def run_until_killed(home: Path, truth: Path) -> None:
    """In a process of its own, which ends as soon as a first batch is kept."""

    def kill(stage: str, done: int, _total: int) -> None:
        if (stage, done) == ("embedding", 16):
            os.kill(os.getpid(), signal.SIGKILL)

    settings = make_settings(home)
    encoder = Encoders(settings).named(settings.model, SIDES[0])
    with Decoder(settings) as decoder:
        measured(home, encoder, decoder, read_truth(truth), (1.0,), on_progress=kill)


def test_a_damaged_file_of_vectors_is_refused_with_a_way_out(home):
    home.mkdir()
    (home / FILE_NAME).write_bytes(b"no database" * 100)
    with pytest.raises(ServiceUnavailable, match="or delete it, it is made again"):
        KeptVectors(home, 1000)


@pytest.mark.parametrize("scales", [[], [0.0], [-1.0], [5.0], [float("nan")], [1.0] * 2, [0.1, 0.2, 0.3, 0.4, 0.5, 1]])
def test_scales_that_are_none_are_refused(scales):
    with pytest.raises(InvalidInput, match="scales"):
        looks(SIDES[0], scales)


def test_scales_come_to_the_nearest_patch():
    assert looks("inside224-v1@448", [1, 2**-0.5, 0.5]).preprocessings == (
        "inside224-v1@448",
        "inside224-v1@322",
        "inside224-v1",
    )


def test_a_folder_without_a_truth_or_with_two_is_refused(tmp_path):
    with pytest.raises(NotFound, match=r"has no gnd_NAME\.pkl and no gnd_NAME\.json"):
        find_truth(tmp_path)
    for name in ("gnd_a.pkl", "gnd_b.json"):
        (tmp_path / name).touch()
    with pytest.raises(InvalidInput, match=r"has gnd_a\.pkl, gnd_b\.json: choose one with --truth"):
        find_truth(tmp_path)
