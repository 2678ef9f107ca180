"""A device that runs out of memory: halves, and in the end a sentence. The processor's own limit, in a child."""

import subprocess
import sys

import pytest

CHILD = """
import resource, sys
from pathlib import Path
import numpy as np
from app.errors import ServiceUnavailable
from app.vision.encoder import Encoder

def limit(megabytes):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + megabytes * 2**20, -1))

def leave(megabytes):
    # what the allocator holds free from before, however much it is, is taken up: then a limit means what it says
    held = []
    limit(0)
    try:
        while True:
            held.append(bytearray(2**20))
    except MemoryError:
        limit(megabytes)
    return held

encoder = Encoder.open("untrained_vits14", Path(sys.argv[1]), device="cpu", threads=1)
pictures = list(np.random.default_rng(5).integers(0, 256, (24, 224, 224, 3), dtype=np.uint8))
usual = encoder.embed(pictures)
huge = np.zeros((2800, 2800, 3), np.uint8)
encoder.batch_patches = 24 * 256
held = leave(48)  # 24 pictures need twice that at once
vectors = encoder.embed(pictures)
assert np.abs(vectors - usual).max() < 1e-5
print("halved to", encoder.batch_patches // 256)
try:
    encoder.embed([huge])
except ServiceUnavailable as refusal:
    print(refusal)
print("goes on", np.abs(encoder.embed(pictures[:2]) - usual[:2]).max() < 1e-5)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux keeps a limit on address space")
def test_a_batch_that_does_not_fit_goes_through_in_halves(tmp_path):
    ran = subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stderr
    halved, refused, after = ran.stdout.splitlines()
    assert int(halved.split()[-1]) in (1, 3, 6, 12)
    assert refused.startswith("cpu has no memory for one picture of (2800, 2800) px: ")
    assert after == "goes on True"
