"""Learn the basis that goes with a model: a linear map in which the same place of a thing looks alike.

    python -m training.places PHOTOS --into app/vision/bundled/dinoseek_tiny14.basis

PHOTOS has a subfolder per source. Of each photo, and of pictures of a painted hunt, two sights are drawn; patches that
show the same place must be nearer to each other than to those of some forty other pairs (InfoNCE, both ways).
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from app.patches.basis import learn, with_background
from app.samples import hunt
from app.settings import get_settings
from app.vision.encoder import Encoder
from training.pictures import EXAMINATION, SUFFIXES
from training.sights import PAINTED, PHOTOS, Manner, pairs

SEED = 5
PER_SOURCE = 450  # photos of one source, at most
ROUNDS = {"photos": 4, "painted": 20}  # how often each picture is drawn from
HUNT = {"things": 110, "pictures": 220, "seed": 77, "side_px": 560}  # another one than those of tests and benchmarks
PER_PAIR = 40  # places
PER_STEP = 40  # pairs compared with one another
WARMTH = 12.0  # of the cosines at first; it is learned too
RATE, DECAY = 1e-3, 1e-3
BACKGROUND_SHARE = 15  # one in so many places is kept as background

Places = tuple[Tensor, Tensor]  # float16 (M, W) each, the same places


def main() -> None:
    arguments = parse()
    encoder = Encoder.open(arguments.model, get_settings().weights)
    rng = np.random.default_rng(SEED)
    seen = [*look(encoder, photos(arguments.photos, rng), PHOTOS, rng)]
    with tempfile.TemporaryDirectory() as folder:
        hunt.generate(Path(folder), **HUNT)
        painted = sorted(Path(folder).rglob("*.jpg"))[: arguments.most] * ROUNDS["painted"]
        seen += look(encoder, painted, PAINTED, rng)
    arguments.into.write_bytes(taught(seen, arguments.steps, rng).to_bytes())


def photos(folder: Path, rng: np.random.Generator) -> list[Path]:
    """Some of each source, several times. Refuses a folder that is examined with."""
    chosen = []
    for source in sorted(path for path in folder.iterdir() if path.is_dir()):
        if source.name in EXAMINATION:
            raise SystemExit(f"{source} is examined with: give a folder of other photos")
        own = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
        chosen += [own[row] for row in rng.permutation(len(own))[:PER_SOURCE]]
    return [chosen[row] for row in rng.permutation(len(chosen))] * ROUNDS["photos"]


def look(encoder: Encoder, paths: list[Path], manner: Manner, rng: np.random.Generator) -> Iterator[Places]:
    """What the network says of the same places of two sights, pair by pair."""
    for pair in pairs(paths, manner, rng):
        one, other = encoder.describe([pair.one, pair.other]).patches
        rows = rng.permutation(len(pair.ones))[:PER_PAIR]
        sides = ((one, pair.ones[rows]), (other, pair.others[rows]))
        yield tuple(torch.tensor(tokens.reshape(-1, tokens.shape[2])[own]) for tokens, own in sides)


def taught(seen: list[Places], steps: int, rng: np.random.Generator):
    """From principal directions to those that tell places apart."""
    start = learn([one[None].numpy() for one, _ in seen])
    mean = torch.tensor(start.mean)
    directions = torch.tensor(start.directions).requires_grad_()
    warmth = torch.tensor(np.log(WARMTH), dtype=torch.float32).requires_grad_()
    groups = [{"params": [directions], "weight_decay": DECAY}, {"params": [warmth], "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    for step in range(steps):
        batch = [seen[row] for row in rng.choice(len(seen), min(PER_STEP, len(seen)), replace=False)]
        one, other = (
            F.normalize((torch.cat(side).float() - mean) @ directions, dim=-1) for side in zip(*batch, strict=True)
        )
        alike, right = one @ other.T * warmth.exp(), torch.arange(len(one))
        loss = (F.cross_entropy(alike, right) + F.cross_entropy(alike.T, right)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    others = torch.cat([one for one, _ in seen])[::BACKGROUND_SHARE]
    return with_background(start.mean, directions.detach().numpy(), others.float().numpy())


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.places", description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="a subfolder per source")
    parser.add_argument("--into", type=Path, required=True, help="the file to write")
    parser.add_argument("--model", default="dinoseek_tiny14")
    parser.add_argument("--steps", type=int, default=3500)
    parser.add_argument("--most", type=int, help="painted pictures to look at; all, unless it is tried out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
