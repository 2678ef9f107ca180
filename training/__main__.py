"""Train the bundled encoder: one command, run again to go on where it was.

    python -m training PHOTOS --into RUN [--exam EXAMINATION]

PHOTOS has a subfolder per source. RUN keeps the painted album, the checkpoint and `log.jsonl`. EXAMINATION has
`near_dup`, `instances` (a subfolder per class) and `distractors`: it is scored now and then, never trained on.
"""

import argparse
from pathlib import Path

import torch

from app.samples import generate
from training import pictures, run, team
from training.exam import Exam

ALBUM_SEED = 20_261_124  # of other pictures than those of the demo
PREPROCESSINGS = ("squash140-v1", "squash168-v1")


def main() -> None:
    arguments = parse()
    knobs = ("model", "steps", "pairs", "peak_rate", "seed", "members")
    plan = run.Plan(**{knob: getattr(arguments, knob) for knob in knobs})
    diary = run.Diary(arguments.into, arguments.save_every, arguments.score_every)
    diary.folder.mkdir(parents=True, exist_ok=True)
    exams = [Exam(arguments.exam, name) for name in arguments.preprocessing] if arguments.exam else []
    taught = pictures.load(arguments.photos, painted(diary.folder / "album", arguments.painted))
    diary.note(pictures=len(taught.pixels), groups=len(taught.members), **vars(plan))
    team.run(plan.members, run.train, plan, diary, taught, exams, arguments.start)


def painted(album: Path, count: int) -> Path | None:
    """A folder with so many files of the sample album, made unless they are there; none for none."""
    if not count:
        return None
    generate(album, count, ALBUM_SEED)
    return album


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="a subfolder per source")
    parser.add_argument("--into", type=Path, required=True, help="folder of the run")
    parser.add_argument("--exam", type=Path, help="photos with truth, to score the weights on meanwhile")
    parser.add_argument("--start", type=Path, help="weights to begin with, as the bundled ones; none: from a seed")
    parser.add_argument("--painted", type=int, default=800, help="files of the painted album")
    parser.add_argument("--preprocessing", nargs="+", default=PREPROCESSINGS, help="how the examination is looked at")
    parser.add_argument("--model", default=run.Plan.model)
    parser.add_argument("--steps", type=int, default=run.Plan.steps)
    parser.add_argument("--pairs", type=int, default=run.Plan.pairs, help="per step, of all processes together")
    parser.add_argument("--peak-rate", type=float, default=run.Plan.peak_rate)
    parser.add_argument("--seed", type=int, default=run.Plan.seed)
    parser.add_argument("--members", type=int, default=run.Plan.members, help="processes, of one thread each")
    parser.add_argument("--save-every", type=int, default=run.Diary.save_every, help="steps")
    parser.add_argument("--score-every", type=int, default=run.Diary.score_every, help="steps")
    return parser.parse_args()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
