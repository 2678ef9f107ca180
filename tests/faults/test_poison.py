"""One picture in a hundred is poison: each is set aside, with its reason, and the others hardly wait for it."""

import time
from pathlib import Path

import PIL.Image
import pytest

from app.catalog.states import ImageStatus
from tests.faults.crasher import TINY, Crasher, report
from tests.faults.poisoned import DEADLY_COLOUR
from tests.faults.poisonous_reader import POISONS
from tests.program import wait_until

PICTURES = 2000
POISON_SHARE = 0.01
LEAST_SPEED = 0.5  # of that without poison; the figure is printed, for other work shares the machine
KNOBS = {"decode_timeout_s": 5, "batch_images": 32}
CODES = {"segfault": {"decoder_crashed"}, "hang": {"decoder_timeout"}, "memory": {"decoder_memory", "decoder_crashed"}}
MOST_ATTEMPTS = 3


def poison(folder: Path, count: int) -> dict[str, str]:
    """Rename so many pictures, evenly strewn, to what they are to do; names and kinds."""
    kinds, poisoned = list(POISONS), {}
    files = sorted(folder.iterdir())
    for number, path in enumerate(files[:: len(files) // count][:count]):
        kind = kinds[number % len(kinds)]
        renamed = path.rename(path.with_stem(f"{path.stem}-{kind}"))
        poisoned[renamed.name] = kind
    return poisoned


def deadly(folder: Path, name: str, shade: int) -> Path:
    """A picture that kills the worker itself, in the step of the network; the shade makes its bytes its own."""
    path = folder / f"{name}.png"
    PIL.Image.new("RGB", TINY, (DEADLY_COLOUR[0] - shade, *DEADLY_COLOUR[1:])).save(path)
    return path


def embed_all(crasher: Crasher, folder: Path, poisons: int = 0) -> float:
    """Pictures per second of a poisoned worker, from the first to the last healthy one."""
    crasher.ingest(folder, "--no-wait")
    keeper = crasher.program.start_module(crasher.folder / "workers.log", "tests.faults.poisoned")
    wait_until(lambda: crasher.ready() > 0, "the first pictures")
    before, started = crasher.ready(), time.monotonic()
    healthy = len(list(folder.iterdir())) - poisons
    wait_until(lambda: crasher.ready() >= healthy, "every healthy picture", 1200)
    took_s = time.monotonic() - started
    crasher.wait_until_done(300)
    keeper.terminate()
    keeper.wait(timeout=60)
    return (healthy - before) / took_s


def set_aside(crasher: Crasher) -> dict[str, tuple[str, int]]:
    """Names of refused files with the code and the attempts."""
    refused = [row for row in crasher.rows() if row.status is ImageStatus.FAILED]
    assert all(row.reason and "\n" not in row.reason for row in refused)
    return {crasher.acknowledged[row.digest].name: (row.code, row.attempts) for row in refused}


def digests_of(crasher: Crasher, names) -> frozenset[str]:
    return frozenset(digest for digest, path in crasher.acknowledged.items() if path.name in names)


def suffer(folder: Path, count: int, poisons: int) -> None:
    clean, sick = Crasher(folder / "clean", **KNOBS), Crasher(folder / "sick", **KNOBS)
    clean_per_s = embed_all(clean, clean.paint(count))
    clean.prove()
    clean.close()
    pictures = sick.paint(count)
    poisoned = poison(pictures, poisons)
    started = time.monotonic()
    sick_per_s = embed_all(sick, pictures, len(poisoned))
    all_aside_s = time.monotonic() - started
    aside = set_aside(sick)
    assert aside.keys() == poisoned.keys()
    assert all(aside[name][0] in CODES[kind] for name, kind in poisoned.items())
    assert max(attempts for _, attempts in aside.values()) <= MOST_ATTEMPTS
    sick.prove(refused=digests_of(sick, poisoned))
    sick.close()
    speed = sick_per_s / clean_per_s
    report(
        kind="poison",
        pictures=count,
        poisoned=len(poisoned),
        attempts=sorted({(kind, *aside[name]) for name, kind in poisoned.items()}),
        clean_per_s=round(clean_per_s, 1),
        poisoned_per_s=round(sick_per_s, 1),
        speed_share=round(speed, 2),
        all_aside_s=round(all_aside_s),
    )
    assert speed >= LEAST_SPEED


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_one_in_a_hundred_is_poison_and_the_others_hardly_wait(tmp_path):
    suffer(tmp_path, PICTURES, int(PICTURES * POISON_SHARE))


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_picture_that_kills_its_worker_is_set_aside_after_three_attempts_alone(crasher):
    folder = crasher.paint(100)
    names = {deadly(folder, f"deadly {shade}", shade).name for shade in range(2)}
    embed_all(crasher, folder, len(names))
    aside = set_aside(crasher)
    assert aside == dict.fromkeys(names, ("worker_died", MOST_ATTEMPTS))
    rows = [row for row in crasher.rows() if crasher.acknowledged[row.digest].name in names]
    crasher.prove(refused=digests_of(crasher, names))
    others = [row for row in crasher.rows() if row.status is ImageStatus.READY]
    report(kind="deadly", claims=[row.fence for row in rows], most_claims_of_others=max(row.fence for row in others))
