"""The command itself, from a folder of photos to weights that an encoder opens."""

import json
import sys

import torch

from app.vision.architectures import get_architecture
from tests.conftest import paint
from training import __main__ as command
from training import bundle, pictures
from training.exam import EXAMS


def run(monkeypatch, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
    command.main()


def test_one_command_trains_scores_and_goes_on_where_it_was(folder, tmp_path, monkeypatch):
    exam = tmp_path / "exam"
    for number in range(4):
        for name in EXAMS:
            paint(exam / name / f"{number % 2}" / f"{number}.jpg", number)
        paint(exam / "distractors" / f"{number}.jpg", 10 + number)
    common = (folder, "--into", tmp_path / "run", "--painted", 0, "--pairs", 4, "--members", 1)
    run(monkeypatch, *common, "--steps", 1)
    run(monkeypatch, *common, "--steps", 2, "--exam", exam, "--preprocessing", "squash140-v1")
    notes = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [note["step"] for note in notes if "loss" in note] == [1, 2]
    (scores,) = [note for note in notes if "near_dup" in note]
    assert scores["preprocessing"] == "squash140-v1"
    assert 0 <= scores["instances"] <= 1

    kept = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert kept["step"] == 2
    row = get_architecture(kept["plan"]["model"])
    tensors = bundle.finished(kept["mean"], row, pictures.load(folder))
    assert len(bundle.write(tensors, row, tmp_path / "weights.safetensors")) == 64
