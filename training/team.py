"""Processes that learn together: each takes a part of the batch, all take the same step.

One process with several threads waits at every operation for its slowest core; these wait once per step.
"""

import socket
from collections.abc import Callable, Iterable
from datetime import timedelta

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn

PATIENCE = timedelta(hours=2)  # that a stopped neighbour is waited for


def run(size: int, work: Callable, *arguments) -> None:
    """Call `work(*arguments)` in so many processes of one thread each, or here. Tensors are shared, not copied."""
    if size == 1:
        work(*arguments)
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(_member, (size, port, work, arguments), nprocs=size)


def _member(rank: int, size: int, port: int, work: Callable, arguments: tuple) -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    store = dist.TCPStore("127.0.0.1", port, size, is_master=rank == 0, timeout=PATIENCE)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE)
    work(*arguments)
    dist.barrier()
    dist.destroy_process_group()


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def gathered(own: Tensor) -> Tensor:
    """The rows of all members, by rank; without gradients but for one's own."""
    if size() == 1:
        return own
    parts = [torch.empty_like(own) for _ in range(size())]
    dist.all_gather(parts, own.detach().contiguous())
    parts[rank()] = own
    return torch.cat(parts)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Every member then has the mean of all members' gradients."""
    if size() == 1:
        return
    held = [parameter for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([parameter.grad.flatten() for parameter in held])
    dist.all_reduce(flat)
    flat /= size()
    for parameter, part in zip(held, flat.split([parameter.numel() for parameter in held]), strict=True):
        parameter.grad.copy_(part.view_as(parameter))
