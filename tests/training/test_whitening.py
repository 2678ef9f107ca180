"""The head: what it makes of what the network says."""

import pytest
import torch

from app.vision.architectures import get_architecture
from app.vision.vit import VisionTransformer
from training import whitening
from training.network import Student

TINY = get_architecture("dinoseek_tiny14")


def spread(values: torch.Tensor) -> torch.Tensor:
    """Variances along the principal directions, ascending."""
    return torch.linalg.eigvalsh(torch.cov(values.double().T))


def test_strong_directions_are_damped_by_the_power_and_the_mean_is_gone():
    torch.manual_seed(3)
    cls = torch.randn(4000, 6) @ torch.diag(torch.tensor([9.0, 5.0, 3.0, 1.0, 0.5, 0.1])) @ torch.randn(6, 6) + 4
    head = whitening.head(cls)
    seen = cls @ head["head.weight"].T + head["head.bias"]
    assert seen.mean(0).abs().max() < 1e-3
    expected = spread(cls) ** (1 - whitening.POWER)
    assert (spread(seen) / spread(seen)[-1]).tolist() == pytest.approx((expected / expected[-1]).tolist(), rel=1e-3)


def test_a_direction_in_which_nothing_differs_is_not_blown_up():
    cls = torch.randn(100, 4, generator=torch.Generator().manual_seed(1))
    cls[:, 2] = 1.0
    head = whitening.head(cls)
    assert all(torch.isfinite(tensor).all() for tensor in head.values())
    assert head["head.weight"].abs().max() < whitening.LEAST_VARIANCE ** (-whitening.POWER / 2) * 2


def test_the_network_serves_through_its_head_and_training_learns_without(taught):
    student = Student(TINY)
    tensors = whitening.whitened(TINY, student.export(), taught)
    network = VisionTransformer.with_weights(TINY, tensors)
    x = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(2))
    plain = network.forward_features(x).cls
    assert torch.allclose(network(x).cls, plain @ tensors["head.weight"].T + tensors["head.bias"], atol=1e-5)
    assert torch.allclose(torch.nn.functional.normalize(plain, dim=1), student(x), atol=1e-5)
    assert not any(
        parameter is student.vit.head.weight for parameter in student.parameters() if parameter.requires_grad
    )
