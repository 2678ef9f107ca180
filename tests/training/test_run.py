"""A run: seeded, resumable to the same bits, shared among processes; and the weights that come out of it."""

import json

import numpy as np
import pytest
import torch

from app.vision import checkpoints, untrained
from app.vision.architectures import get_architecture
from app.vision.vit import VisionTransformer
from training import bundle, run, team
from training.network import Student
from training.run import Diary, Plan, Run

TINY = get_architecture("dinoseek_tiny14")
PLAN = Plan(steps=4, pairs=4, members=1)


def weights(trained: Run) -> dict[str, torch.Tensor]:
    return trained.student.state_dict() | {f"mean.{name}": t for name, t in trained.mean.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_resumed_run_ends_with_the_same_bits(taught, tmp_path):
    whole, first, second = Run(PLAN), Run(PLAN), Run(PLAN)
    losses = [whole.advance(taught) for _ in range(4)]
    for _ in range(2):
        first.advance(taught)
    first.save(tmp_path / "checkpoint.pt")
    second.load(tmp_path / "checkpoint.pt")
    assert second.step == 2
    assert [second.advance(taught) for _ in range(2)] == losses[2:]
    assert same(weights(second), weights(whole))


def test_another_seed_gives_other_weights(taught):
    first, other = Run(PLAN), Run(Plan(steps=4, pairs=4, members=1, seed=7))
    first.advance(taught)
    other.advance(taught)
    assert not same(weights(first), weights(other))


def test_a_run_keeps_a_log_and_its_last_state(taught, tmp_path):
    diary = Diary(tmp_path, save_every=3, score_every=100)
    run.train(PLAN, diary, taught, [])
    notes = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [note["step"] for note in notes] == [3, 4]
    assert all(np.isfinite(note["loss"]) for note in notes)
    assert torch.load(diary.checkpoint, weights_only=True)["step"] == 4


@pytest.mark.soak
def test_two_processes_share_a_batch_and_agree(taught, tmp_path):
    """Each writes what it holds after the steps: gradients were averaged, or they would differ."""
    team.run(2, hold, taught, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert same(first, second)


def hold(taught, folder) -> None:
    shared = Run(Plan(steps=4, pairs=8, members=2))
    for _ in range(2):
        shared.advance(taught)
    torch.save(weights(shared), folder / f"{team.rank()}.pt")


def test_the_student_answers_as_the_network_of_its_weights():
    student = Student(TINY)
    x = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    network = VisionTransformer.with_weights(TINY, student.export())
    expected = torch.nn.functional.normalize(network(x).cls, dim=1)
    assert torch.allclose(student(x), expected, atol=1e-5)


def test_a_student_sees_only_the_patches_it_is_given():
    student = Student(TINY)
    x = torch.randn(1, 3, 28, 28, generator=torch.Generator().manual_seed(1))
    other = x.clone()
    other[..., :14, :14] = 0  # the first patch
    kept = torch.tensor([[1, 2, 3]])
    assert torch.equal(student(x, kept), student(other, kept))
    assert not torch.equal(student(x), student(other))


def test_weights_go_into_a_file_and_a_run_goes_on_from_there(tmp_path):
    student, path = Student(TINY), tmp_path / "weights.safetensors"
    digest = bundle.write(student.export(), TINY, path)
    assert digest == checkpoints.verified_sha256(path)
    assert path.stat().st_size < bundle.MOST_BYTES
    again = Run(PLAN)
    again.start_from(path)
    x = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    cosines = (again.student(x) * student(x)).sum(1)
    assert cosines.min().item() > 0.999  # half precision, and positions once more through the coarse grid


def test_a_fingerprint_takes_the_place_of_the_earlier_one(tmp_path):
    path = tmp_path / "fingerprints.npz"
    np.savez(path, one=np.zeros(2), other=np.ones(2))
    bundle.record("one", np.full(2, 0.5), path)
    with np.load(path) as kept:
        assert {name: row.tolist() for name, row in kept.items()} == {"one": [0.5, 0.5], "other": [1.0, 1.0]}


@pytest.mark.parametrize("name", ["cls_token", "blocks.0.ls1.gamma"])
def test_a_run_starts_from_the_seed_s_weights_but_for_two_kinds(name):
    start, seeded = Student(TINY).vit.state_dict(), untrained.state_dict(TINY)
    assert not torch.equal(start[name], seeded[name])
    assert torch.equal(start["blocks.0.attn.qkv.weight"], seeded["blocks.0.attn.qkv.weight"])
