"""What the network answers beside its numbers: shapes, chosen blocks, odd sides, and what it refuses."""

import copy

import pytest
import torch

from app.errors import InvalidInput
from app.vision.architectures import Architecture, get_architecture
from app.vision.positions import RESAMPLINGS, resampling
from app.vision.served import serve
from app.vision.sides import SIDES
from app.vision.vit import VisionTransformer

DIM, DEPTH, REGISTERS = 64, 4, 4
ROWS, COLUMNS = 3, 2
X = torch.randn(2, 3, ROWS * 14, COLUMNS * 14, generator=torch.Generator().manual_seed(1))


def small(registers: int = REGISTERS, **options) -> VisionTransformer:
    """A network of four blocks with random weights, the same each time."""
    architecture = Architecture(name="small", aliases=(), dim=DIM, depth=DEPTH, registers=registers)
    network, generator = VisionTransformer(architecture, **options), torch.Generator().manual_seed(2)
    for tensor in network.state_dict().values():
        tensor.normal_(0, 0.2, generator=generator)
    return network


def test_a_call_and_extract_feat_are_both_a_tuple_of_the_cls_tokens_alone():
    network = small()
    called, extracted = network(X), network.extract_feat(X)
    assert isinstance(called, tuple) and len(called) == len(extracted) == 1
    assert called[0].shape == (2, DIM)
    assert torch.equal(called[0], extracted[0])
    assert torch.allclose(called[0], network.forward_features(X).cls, atol=1e-5)


@pytest.mark.parametrize("registers", [0, 4])
def test_tokens_are_cls_then_registers_then_patches(registers):
    network = small(registers)
    tokens = network.forward_features(X)
    assert tokens.cls.shape == (2, DIM)
    assert tokens.registers.shape == (2, registers, DIM)
    assert tokens.patches.shape == (2, ROWS * COLUMNS, DIM)
    assert tokens.prenorm.shape == (2, 1 + registers + ROWS * COLUMNS, DIM)
    together = torch.cat([tokens.cls[:, None], tokens.registers, tokens.patches], dim=1)
    assert torch.equal(network.norm(tokens.prenorm), together)


def test_batches_do_not_mix_and_none_is_an_answer_too():
    network = small()
    assert torch.allclose(network(X)[0][1:], network(X[1:])[0], atol=1e-6)
    assert network(X[:0])[0].shape == (0, DIM)


@pytest.mark.parametrize(
    ("n", "numbers"), [(1, [3]), (2, [2, 3]), (4, [0, 1, 2, 3]), ([0, 2], [0, 2]), ([3, 1], [3, 1]), ((-1,), [3])]
)
def test_chosen_blocks_are_what_left_those_blocks(n, numbers):
    network, left = small(), []
    for block in network.blocks:
        block.register_forward_hook(lambda module, inputs, output: left.append(output))
    found = network.get_intermediate_layers(X, n, return_class_token=True)
    assert len(found) == len(numbers)
    for (patches, cls), number in zip(found, numbers, strict=True):
        normed = network.norm(left[number])
        assert torch.equal(patches, normed[:, 1 + REGISTERS :])
        assert torch.equal(cls, normed[:, 0])


def test_a_served_network_says_the_same_of_every_block():
    with torch.inference_mode():
        served, plain = (each.get_intermediate_layers(X, DEPTH) for each in (serve(small()), small()))
    for ours, theirs in zip(served, plain, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_blocks_behind_the_last_one_asked_for_are_not_run():
    network, ran = small(), []
    for number, block in enumerate(network.blocks):
        block.register_forward_hook(lambda module, inputs, output, number=number: ran.append(number))
    network.get_intermediate_layers(X, [1])
    assert ran == [0, 1]


def test_the_last_block_is_what_forward_features_says():
    network, tokens = small(), small().forward_features(X)
    assert torch.equal(network.get_intermediate_layers(X)[0], tokens.patches)
    assert torch.equal(network.get_intermediate_layers(X, norm=False)[0], tokens.prenorm[:, 1 + REGISTERS :])


def test_a_map_has_the_patches_row_by_row():
    network = small()
    patches = network.get_intermediate_layers(X)[0]
    grid, cls = network.get_intermediate_layers(X, reshape=True, return_class_token=True)[0]
    assert (grid.shape, cls.shape) == ((2, DIM, ROWS, COLUMNS), (2, DIM))
    assert grid.is_contiguous()
    for row in range(ROWS):
        for column in range(COLUMNS):
            assert torch.equal(grid[:, :, row, column], patches[:, row * COLUMNS + column])


@pytest.mark.parametrize("n", [0, -1, 5, [], [4], [-5, 0]])
def test_blocks_that_are_not_there_are_refused(n):
    with pytest.raises(InvalidInput, match="expected how many of the last, 1 to 4, or numbers below 4"):
        small().get_intermediate_layers(X, n)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((3, 28, 28), torch.float32), ((1, 1, 28, 28), torch.float32), ((1, 3, 28, 28), torch.uint8)]
)
def test_what_is_no_batch_of_normalised_pictures_is_refused(shape, dtype):
    with pytest.raises(InvalidInput, match=r"expected normalised floats \(B, 3, H, W\)"):
        small()(torch.zeros(shape, dtype=dtype))


def test_odd_sides_are_refused_unless_told_otherwise():
    with pytest.raises(InvalidInput, match="230 x 224 px: the network takes sides that are multiples of 14"):
        small()(torch.zeros(1, 3, 230, 224))


def test_cropped_sides_lose_right_and_bottom():
    x = torch.randn(1, 3, 41, 30)
    assert torch.equal(small(sides="crop")(x)[0], small()(x[:, :, :28, :28])[0])


def test_padded_sides_gain_zeros_right_and_bottom():
    x = torch.randn(1, 3, 41, 30)
    by_hand = torch.zeros(1, 3, 42, 42)
    by_hand[:, :, :41, :30] = x
    assert torch.equal(small(sides="pad")(x)[0], small()(by_hand)[0])
    assert small(sides="pad").get_intermediate_layers(x, reshape=True)[0].shape == (1, DIM, 3, 3)


@pytest.mark.parametrize("sides", SIDES)
def test_sides_that_fit_are_left_alone(sides):
    assert torch.equal(small(sides=sides)(X)[0], small()(X)[0])


@pytest.mark.parametrize(("sides", "height"), [("crop", 13), ("refuse", 0), ("pad", 0)])
def test_a_picture_without_a_whole_patch_is_refused(sides, height):
    with pytest.raises(InvalidInput, match=f"a picture of {height} x 28 px: no patch of 14 px is left of it"):
        small(sides=sides)(torch.zeros(1, 3, height, 28))


@pytest.mark.parametrize("option", ["positions", "sides"])
def test_an_unknown_option_is_refused_with_the_known_ones(option):
    with pytest.raises(InvalidInput, match=rf"{option} 'bilinear': choose one of \w+, \w+, \w+"):
        small(**{option: "bilinear"})


@pytest.mark.parametrize("convention", RESAMPLINGS)
def test_positions_have_every_size_asked_for(convention):
    network = small(positions=convention)
    for side in (1, 2, 16, 36, 38, 39, 43, 78, 86, 115, 123):  # from 39 on: where a scale without offset loses a cell
        assert network.positions(side, 3).shape == network.positions(3, side).shape == (1, 1 + 3 * side, DIM)


@pytest.mark.parametrize("convention", RESAMPLINGS)
def test_the_trained_grid_and_the_cls_position_are_never_resampled(convention):
    network = small(positions=convention)
    assert torch.equal(network.positions(37, 37), network.pos_embed)
    assert torch.equal(network.positions(16, 20)[:, 0], network.pos_embed[:, 0])
    assert not torch.allclose(network.positions(1, 37 * 37), network.pos_embed)  # as many cells, another grid


def test_half_precision_resamples_in_float32():
    network = small().bfloat16()
    exact = small().bfloat16().float().positions(16, 20)
    assert torch.equal(network.positions(16, 20), exact.bfloat16())


def test_positions_follow_the_weights():
    network = small()
    network(X)
    doubled = {name: tensor * 2 for name, tensor in network.state_dict().items()}
    expected = network.positions(16, 20) * 2
    network.load_state_dict(doubled)
    assert torch.allclose(network.positions(16, 20), expected)


def test_a_variant_has_the_convention_its_weights_were_published_with():
    assert resampling(get_architecture("dinov2_vitb14")) == RESAMPLINGS["offset"]
    assert resampling(get_architecture("dinov2_vitb14_reg")) == RESAMPLINGS["antialias"]
    assert resampling(get_architecture("dinov2_vitb14_reg"), "size") == RESAMPLINGS["size"]


def test_nothing_is_trained_yet_a_gradient_reaches_the_picture_that_asks_for_it():
    network, x = small(), X.clone().requires_grad_()
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not network(X)[0].requires_grad
    network(x)[0].sum().backward()
    assert x.grad.abs().sum() > 0


def test_pictures_are_cast_to_the_precision_of_the_weights():
    network = small()
    assert network(X.double())[0].dtype == torch.float32
    assert network.bfloat16()(X)[0].dtype == torch.bfloat16


def test_a_copy_answers_the_same_and_is_its_own():
    network = small()
    said, twin = network(X)[0], copy.deepcopy(network)
    assert torch.equal(twin(X)[0], said)
    twin.pos_embed.zero_()
    assert torch.equal(network(X)[0], said)
    assert not torch.equal(twin(X)[0], said)


def test_weights_are_used_where_they_lie():
    weights = small().state_dict()
    network = VisionTransformer.with_weights(small().architecture, weights)
    assert {name: tensor.data_ptr() for name, tensor in network.state_dict().items()} == {
        name: tensor.data_ptr() for name, tensor in weights.items()
    }
    assert not any(parameter.requires_grad for parameter in network.parameters())
