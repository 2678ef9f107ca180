"""Files made to cost: each is refused with its reason, or is a picture after all, for ten seconds of work and 1 GB."""

import os
import resource
from pathlib import Path

import pytest

from app.errors import UnreadableImage
from app.vision.decoder import Decoder
from app.vision.frames import MOST_FRAMES
from tests.conftest import make_settings
from tests.damage.bombs import BOMBS
from tests.damage.ordeal import SMALLEST
from tests.vision.processes import LINUX, decode_children_of, peak_memory_bytes

LONGEST_S, MOST_BYTES = 10.0, 2**30
# What a machine of any speed says of them; the rest may be decoded, or take too long or too much
REFUSED = {
    "claims_a_giant.png": "too_large",
    "claims_the_most.png": "too_large",
    "text_inflates.png": "damaged",
    "texts_inflate.png": "damaged",
    "utf8_text_inflates.png": "damaged",
    "profile_inflates.png": "damaged",
    "a_million_empty_chunks.png": "truncated",
    "claims_the_most.jpg": "too_large",
    "claims_what_is_allowed.jpg": "truncated",
    "claims_the_most.gif": "too_large",
    "a_frame_beyond_its_canvas.gif": "too_large",
    "tags_by_the_ten_thousand.tif": "damaged",
    "a_tag_of_4_gb.tif": "damaged",
    "canvas_of_268_mpx.webp": "too_large",
    "claims_the_most.bmp": "too_large",
    "claims_what_is_allowed.bmp": "truncated",
    "claims_the_most.avif": "damaged",
    "claims_the_most.jp2": "damaged",
    "claims_the_most.ppm": "too_large",
    "an_endless_word.ppm": "damaged",
}
OUTCOMES = {"decoded", "damaged", "truncated", "too_large", "decoder_cpu", "decoder_timeout", "decoder_memory"}


@LINUX
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_one_that_claims_or_inflates_is_refused_at_once(tmp_path, name):
    outcome, seconds, memory_bytes = cost(tmp_path, name)
    assert outcome == REFUSED[name]
    assert seconds < LONGEST_S
    assert memory_bytes < MOST_BYTES / 4


@LINUX
@pytest.mark.parametrize("name", ["frames_100_000.gif", "pages_100_000.tif", "frames_by_the_billion.png"])
def test_nobody_counts_frames_without_end(tmp_path, name):
    (tmp_path / name).write_bytes(BOMBS[name]())
    with Decoder(make_settings(tmp_path)) as decoder:
        assert decoder.submit(tmp_path / name).result().frames == MOST_FRAMES


@LINUX
@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_bomb_keeps_to_its_limits(tmp_path, name):
    outcome, seconds, memory_bytes = cost(tmp_path, name)
    print(f"{name}: {outcome}, {seconds:.2f} s, +{memory_bytes / 2**20:.0f} MB")
    assert outcome == REFUSED.get(name) or (name not in REFUSED and outcome in OUTCOMES)
    assert seconds < LONGEST_S
    assert memory_bytes < MOST_BYTES


def test_there_are_bombs_of_every_kind():
    assert len(BOMBS) >= 40
    assert len({Path(name).suffix for name in BOMBS}) >= 8
    assert set(REFUSED) <= set(BOMBS)


def cost(folder: Path, name: str) -> tuple[str, float, int]:
    """What it is refused with or `decoded`; seconds of processor time, however busy the machine is; bytes.

    Those are what its child took over what it had at rest.
    """
    bomb = folder / name
    bomb.write_bytes(BOMBS[name]())
    others, before_s = set(decode_children_of(os.getpid())), _cpu_s_of_the_dead()
    settings = make_settings(folder, decode_processes=1, decode_timeout_s=120)  # work is what counts here
    with Decoder(settings) as decoder:
        decoder.submit(SMALLEST).result()
        (child,) = set(decode_children_of(os.getpid())) - others
        rest = peak_memory_bytes(child)
        try:
            decoder.submit(bomb, thumbnail=True).result()
            outcome = "decoded"
        except UnreadableImage as refusal:
            outcome = refusal.code
        memory_bytes = (peak_memory_bytes(child) if _lives(child) else rest) - rest
    return outcome, _cpu_s_of_the_dead() - before_s, memory_bytes


def _cpu_s_of_the_dead() -> float:
    """Of children that have ended, as the decoder's have when it is closed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _lives(child: int) -> bool:
    return child in decode_children_of(os.getpid())
