"""One run: from pictures to weights, step by step, resumable at any of its checkpoints."""

import copy
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from app.vision import checkpoints
from app.vision.architectures import get_architecture
from training import loss, schedule, team, views
from training.draws import Draws
from training.exam import Exam
from training.network import Student
from training.pictures import Pictures
from training.whitening import whitened

WEIGHT_DECAY = 0.05
BETAS = (0.9, 0.98)
CLIP = 1.0  # of the gradient's length
MEMORY = 0.998  # of the running mean of the weights, which is what is kept in the end
SHARED, FIRST_RANK = 0, 1  # what random numbers are for: the whole batch, or one member's views


@dataclass(frozen=True)
class Plan:
    """What decides the weights, besides the pictures."""

    model: str = "dinoseek_tiny14"
    steps: int = 4105
    pairs: int = 128  # per step, of all members together
    peak_rate: float = 1e-3
    seed: int = 2026
    members: int = 2


@dataclass(frozen=True)
class Diary:
    """Where a run keeps its state and its log, and how often."""

    folder: Path
    save_every: int = 25
    score_every: int = 450

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def note(self, **facts) -> None:
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(facts) + "\n")


class Run:
    """What changes from step to step."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.step = plan, 0
        self.student = Student(get_architecture(plan.model))
        self.mean = copy.deepcopy(self.student).requires_grad_(False)
        self.learned = [parameter for parameter in self.student.parameters() if parameter.requires_grad]
        groups = [
            {"params": [parameter for parameter in self.learned if parameter.dim() > 1]},
            {"params": [parameter for parameter in self.learned if parameter.dim() <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, betas=BETAS, weight_decay=WEIGHT_DECAY)

    def save(self, path: Path) -> None:
        parts = {name: getattr(self, name).state_dict() for name in ("student", "mean", "optimizer")}
        beside = path.with_suffix(".part")
        torch.save({"step": self.step, "plan": asdict(self.plan), **parts}, beside)
        beside.replace(path)

    def load(self, path: Path) -> None:
        """Go on where a checkpoint stands. The plan may have other steps and another rate than its run had."""
        kept = torch.load(path, weights_only=True)
        self.step = kept["step"]
        for name in ("student", "mean", "optimizer"):
            getattr(self, name).load_state_dict(kept[name])

    def start_from(self, weights: Path) -> None:
        """A weights file instead of the seed's weights; the optimizer begins anew."""
        architecture = self.student.vit.architecture
        tensors = {name: tensor.float() for name, tensor in checkpoints.load(architecture, weights).items()}
        self.student.take(tensors)
        self.mean.take(tensors)

    def advance(self, pictures: Pictures) -> float:
        """One step; returns the loss over this member's part of the batch."""
        plan = self.plan
        for group in self.optimizer.param_groups:
            group["lr"] = schedule.rate(self.step, plan.steps, plan.peak_rate)
        value = self._loss(pictures)
        self.optimizer.zero_grad()
        value.backward()
        team.average_gradients(self.learned)
        torch.nn.utils.clip_grad_norm_(self.learned, CLIP)
        self.optimizer.step()
        self._remember()
        self.step += 1
        return value.item()

    def _loss(self, pictures: Pictures) -> Tensor:
        plan, rank = self.plan, team.rank()
        stage = schedule.stage(self.step)
        groups = views.choose(pictures, plan.pairs, stage, Draws(1, plan.seed, self.step, SHARED))[rank :: team.size()]
        draws = Draws(2 * len(groups), plan.seed, self.step, FIRST_RANK + rank)
        seen = views.draw(pictures, groups.repeat(2), stage, draws)
        own = self.student(seen, _kept(len(seen), stage, draws))
        everyone = team.gathered(own)
        selves = torch.arange(len(own)) + rank * len(own)
        pairs = torch.arange(len(own)).roll(len(groups)) + rank * len(own)
        together = loss.contrast(own, everyone, pairs, selves, stage.temperature)
        return together + loss.SPREAD_WEIGHT * loss.spread(own, everyone, pairs, selves)

    @torch.no_grad()
    def _remember(self) -> None:
        share = 1 - min(MEMORY, (1 + self.step) / (10 + self.step))
        for mean, new in zip(self.mean.parameters(), self.student.parameters(), strict=True):
            mean.lerp_(new, share)


def _kept(count: int, stage: schedule.Stage, draws: Draws) -> Tensor:
    """For each view the patches the network sees: int64 (count, kept)."""
    patches = (stage.side_px // 14) ** 2
    return torch.rand((count, patches), generator=draws.generator).argsort(1)[:, : stage.kept]


def train(plan: Plan, diary: Diary, pictures: Pictures, exams: list[Exam], start: Path | None = None) -> None:
    """One member's work, from the last checkpoint, else from `start`, to the plan's last step."""
    run, losses, started = Run(plan), [], time.monotonic()
    if diary.checkpoint.exists():
        run.load(diary.checkpoint)
    elif start is not None:
        run.start_from(start)
    while run.step < plan.steps:
        losses.append(run.advance(pictures))
        if team.rank() == 0 and _is_due(run, diary.save_every):
            run.save(diary.checkpoint)
            diary.note(step=run.step, loss=round(sum(losses) / len(losses), 4), s=round(time.monotonic() - started, 1))
            losses.clear()
        if team.rank() == 0 and _is_due(run, diary.score_every):
            _examine(run, diary, pictures, exams)


def _is_due(run: Run, every: int) -> bool:
    return run.step % every == 0 or run.step == run.plan.steps


def _examine(run: Run, diary: Diary, pictures: Pictures, exams: list[Exam]) -> None:
    architecture = run.student.vit.architecture
    tensors = whitened(architecture, run.mean.export(), pictures) if exams else {}
    for exam in exams:
        scores = exam.scores(architecture, tensors)
        diary.note(step=run.step, preprocessing=exam.preprocessing, **scores)
