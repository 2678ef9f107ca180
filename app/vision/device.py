"""Where a network runs, and what it may hold there. As a program: the names of the NVIDIA cards torch can use."""

import ctypes

import torch

from app.errors import InvalidInput

# Patches through the network at once; a picture of 224 px has 256. On a processor as many as its caches hold the
# activations of: more is slower (benchmarks/embed.py). On a GPU enough to fill it, in about 1 GB with ViT-g.
BATCH_PATCHES = {"cpu": 4 * 256, "mps": 32 * 256, "cuda": 128 * 256}

# What a refused allocation is called by torch itself, by Apple's backend, and by oneDNN, whose kernels are few and
# known to run: that one can't be made, or run, means that its scratch space can't be had
REFUSALS = (
    "can't allocate memory",
    "MPS backend out of memory",
    "could not create a primitive",
    "could not execute a primitive",
)
# from glibc's malloc.h: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_ARENA_MAX
MALLOC_SWITCHES = ((-3, 2**25 - 1), (-1, 2**29), (-8, 1))


def choose_device(wanted: str) -> torch.device:
    """`auto` is the fastest here: CUDA, then Apple's, then the processor. Raises InvalidInput."""
    here = [
        name
        for name, present in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
        if present
    ]
    if wanted == "auto":
        return torch.device(here[0] if here else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise InvalidInput(f"device {wanted!r}: expected auto, cpu, cuda, cuda:N or mps") from None
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type not in (*here, "cpu") or (device.index or 0) >= count:
        raise InvalidInput(
            f"device {wanted!r} is not on this machine: choose auto or one of {', '.join([*here, 'cpu'])}"
        )
    return device


def is_out_of_memory(trouble: BaseException) -> bool:
    """CUDA has a class for it; a processor's and Apple's refusals are told by their words alone."""
    said = str(trouble)
    return isinstance(trouble, MemoryError | torch.OutOfMemoryError) or any(words in said for words in REFUSALS)


def keep_freed_memory() -> None:
    """Have the C library keep what a batch frees for the next: up to half a gigabyte, in blocks up to 32 MB.

    By itself it gives large blocks back, and the system hands out every page anew, zeroed: 5 to 20 ms a picture of 110,
    on one core, ViT-S (1,900 to 9,100 page faults). Only glibc has these switches.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for switch, value in MALLOC_SWITCHES:
            mallopt(switch, value)


def release_memory(device: str) -> None:
    """Give back what the allocator of a GPU keeps for later, so that the pieces can be joined."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()


if __name__ == "__main__":
    print(*(f"cuda:{number}" for number in range(torch.cuda.device_count())))
