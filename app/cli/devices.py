"""Which devices of this machine get a worker each."""

import subprocess
import sys
from pathlib import Path

NVIDIA = Path("/proc/driver/nvidia/gpus")  # one folder a card; where it is absent, torch need not be asked
CARDS = {"auto", "cuda"}  # what a person says who names no card


def devices(wanted: str) -> list[str]:
    """Names for DINOSEEK_DEVICE, one for each worker: every NVIDIA card, or what is wanted as it stands."""
    if wanted not in CARDS or not NVIDIA.is_dir():
        return [wanted]
    # in a process of its own: torch takes seconds and memory that a supervisor has no use for
    told = subprocess.run([sys.executable, "-m", "app.vision.device"], capture_output=True, text=True)
    return told.stdout.split() or [wanted]
