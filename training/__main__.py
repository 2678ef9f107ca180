"""Train the bundled encoder.

python -m training PHOTOS --album ALBUM --into RUN
"""

import argparse
from pathlib import Path

import torch

from training import pictures, run, team
from training.exam import Exam


def main() -> None:
    arguments = parse()
    plan = run.Plan(steps=arguments.steps, pairs=arguments.pairs, peak_rate=arguments.rate, members=arguments.members)
    diary = run.Diary(arguments.into, arguments.save_every, arguments.score_every)
    diary.folder.mkdir(parents=True, exist_ok=True)
    exams = [Exam(arguments.exam, name) for name in arguments.preprocessing] if arguments.exam else []
    taught = pictures.load(arguments.photos, arguments.album)
    diary.note(pictures=len(taught.pixels), groups=len(taught.members), **vars(plan))
    team.run(plan.members, run.train, plan, diary, taught, exams, arguments.start)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--album", type=Path)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a weights file to go on from, as the bundled one")
    parser.add_argument("--exam", type=Path)
    parser.add_argument("--preprocessing", nargs="+", default=["squash112-v1", "squash140-v1", "squash168-v1"])
    parser.add_argument("--steps", type=int, default=run.Plan.steps)
    parser.add_argument("--pairs", type=int, default=run.Plan.pairs)
    parser.add_argument("--rate", type=float, default=run.Plan.peak_rate)
    parser.add_argument("--members", type=int, default=run.Plan.members)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--score-every", type=int, default=500)
    return parser.parse_args()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
