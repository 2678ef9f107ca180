"""The same model fetched from each of its publishers: what is known beforehand decides what is believed."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from app.errors import AlreadyExists, WeightsUnavailable
from app.vision import checkpoints, digests, fetch
from app.vision.architectures import ARCHITECTURES, Architecture, get_architecture
from app.vision.layouts import expected_shapes
from app.vision.models import find_weights
from app.vision.published import BASES, Source, is_published, publication, source_meant
from tests.vision import mirrors
from tests.vision.mirrors import Behave, Mirror, Request
from tests.vision.weights import as_hugging_face, as_mmpretrain, same, saved, tensors_of

TINY = Architecture("tiny", (), dim=64, depth=1, file="tiny/tiny_pretrain.pth")


@dataclass(frozen=True)
class Offer:
    """A file as one publisher writes it, and a row that knows of it what is known of the real ones."""

    source: Source
    content: bytes
    row: Architecture
    target: str

    def pull(self, base_url: str, folder: Path) -> Path:
        path = fetch.pull(self.row, folder, source=self.source, base_url=base_url)
        assert path == folder / self.target
        assert path.read_bytes() == self.content
        assert find_weights(self.row, folder) == path
        assert digests.recall(path) == hashlib.sha256(self.content).hexdigest()
        return path


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[Source, bytes]:
    """One network as each publisher writes it."""
    folder, tensors = tmp_path_factory.mktemp("published"), tensors_of(TINY, seed=9)
    written = {
        Source.OFFICIAL: saved(tensors, folder / "official.pth"),
        Source.HUGGING_FACE: saved(as_hugging_face(tensors), folder / "model.safetensors"),
        Source.MMPRETRAIN: saved(as_mmpretrain(tensors), folder / "mm.pth"),
    }
    return {source: path.read_bytes() for source, path in written.items()}


@pytest.fixture(params=Source, ids=lambda source: source.value)
def offer(request, files) -> Offer:
    source, content = request.param, files[request.param]
    digest = hashlib.sha256(content).hexdigest()
    known = {
        Source.OFFICIAL: {"sha256": digest, "size_bytes": len(content)},
        Source.HUGGING_FACE: {"hugging_face": "someone/tiny", "hugging_face_bytes": len(content)},
        Source.MMPRETRAIN: {"mmpretrain": "vit-tiny", "mmpretrain_sha256": digest[:8]},
    }
    targets = {
        Source.OFFICIAL: "tiny_pretrain.pth",
        Source.HUGGING_FACE: "tiny/model.safetensors",
        Source.MMPRETRAIN: f"vit-tiny_20230426-{digest[:8]}.pth",
    }
    return Offer(source, content, replace(TINY, **known[source]), targets[source])


@pytest.fixture
def hugging_face(files) -> Offer:
    content = files[Source.HUGGING_FACE]
    row = replace(TINY, hugging_face="someone/tiny", hugging_face_bytes=len(content))
    return Offer(Source.HUGGING_FACE, content, row, "tiny/model.safetensors")


def refusal(offer: Offer, server: Mirror, folder: Path) -> str:
    with pytest.raises(WeightsUnavailable) as refused:
        fetch.pull(offer.row, folder, source=offer.source, base_url=server.base_url)
    assert not (folder / offer.target).exists()
    assert "\n" not in str(refused.value)
    assert f"put {Path(offer.target).name} into {(folder / offer.target).parent} yourself" in str(refused.value)
    return str(refused.value)


def test_each_publisher_s_file_arrives_where_it_is_found_and_loads_to_the_same(mirror, tmp_path, offer):
    server = mirror(mirrors.well(offer.content))
    path = offer.pull(server.base_url, tmp_path / "weights")
    assert same(checkpoints.load(offer.row, path), tensors_of(TINY, seed=9))
    offer.pull(server.base_url, tmp_path / "weights")  # it is here, and still the published one
    assert server.starts == [0]


def test_it_is_asked_for_by_the_publisher_s_own_path(mirror, tmp_path, hugging_face):
    server = mirror(mirrors.well(hugging_face.content))
    hugging_face.pull(server.base_url, tmp_path)
    assert server.paths == ["/mirror/someone/tiny/resolve/main/model.safetensors"]


def test_cuts_are_resumed_from_each(mirror, tmp_path, offer):
    server = mirror(mirrors.cutting(offer.content, every=len(offer.content) // 3 + 1))
    offer.pull(server.base_url, tmp_path)
    assert len(server.starts) == 3


def test_what_one_run_left_the_next_goes_on_with(mirror, tmp_path, offer):
    part = tmp_path / f"{offer.target}.part"
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(offer.content[:1000])
    server = mirror(mirrors.well(offer.content))
    offer.pull(server.base_url, tmp_path)
    assert server.starts == [1000]


def test_wrong_bytes_are_refused_and_removed(mirror, tmp_path, offer):
    wrong = mirrors.well(bytes(len(offer.content)))
    assert " and were removed)" in refusal(offer, mirror(wrong), tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_server_that_says_too_short_a_length_gives_no_file_or_the_whole(mirror, tmp_path, offer):
    def short(request: Request, start: int) -> None:
        body = offer.content[start : start + 200_000]
        request.send_part(start, body, len(body))

    server = mirror(short)
    if publication(offer.row, offer.source).size_bytes is None:
        assert "are not the published ones and were removed" in refusal(offer, server, tmp_path)
    else:
        offer.pull(server.base_url, tmp_path)


def test_a_file_that_goes_on_too_long_is_refused(mirror, tmp_path, offer):
    assert " and were removed)" in refusal(offer, mirror(mirrors.well(offer.content + b"more")), tmp_path)


def test_another_file_of_that_name_is_left_alone(mirror, tmp_path, offer):
    mine = tmp_path / offer.target
    mine.parent.mkdir(exist_ok=True)
    mine.write_bytes(b"mine")
    with pytest.raises(AlreadyExists, match="move it away"):
        offer.pull(mirror(mirrors.well(offer.content)).base_url, tmp_path)
    assert mine.read_bytes() == b"mine"


@pytest.fixture
def hub(mirror) -> Callable[[bytes, str], Mirror]:
    """Sends one on to a store under another host's name, whose ETag is of another hash, as the real hub does."""

    def start(content: bytes, digest: str) -> Mirror:
        store = mirror(mirrors.well(content, ETag=f'"{"e" * 64}"'))
        return mirror(sending_on(store, X_Linked_Etag=f'"{digest}"', X_Linked_Size=str(len(content))))

    return start


def sending_on(store: Mirror, **headers: str) -> Behave:
    return lambda request, start: request.send(302, b"", length=0, Location=f"{store.elsewhere}/blob", **headers)


def test_a_hub_sends_one_on_to_its_store(hub, tmp_path, hugging_face):
    hugging_face.pull(hub(hugging_face.content, hashlib.sha256(hugging_face.content).hexdigest()).base_url, tmp_path)


def test_bytes_the_hub_did_not_announce_are_refused(hub, tmp_path, hugging_face):
    server = hub(hugging_face.content, "a" * 64)
    assert "(its bytes are not those the server announced and were removed)" in refusal(hugging_face, server, tmp_path)


def test_a_digest_announced_without_a_redirect_counts_too(mirror, tmp_path, hugging_face):
    server = mirror(mirrors.well(hugging_face.content, ETag=f'"{"a" * 64}"'))
    assert "are not those the server announced" in refusal(hugging_face, server, tmp_path)


def test_a_hub_that_has_another_file_by_now_is_refused_before_any_of_it_comes(hub, tmp_path, hugging_face):
    known = replace(hugging_face.row, hugging_face_sha256="0123456789abcdef")
    said = refusal(replace(hugging_face, row=known), hub(hugging_face.content, "a" * 64), tmp_path)
    assert "the server has another file, of SHA-256 aaaaaaaaaaaa… and not 0123456789ab…" in said


def test_tensors_of_another_network_are_refused_though_the_size_is_right(mirror, tmp_path, hugging_face):
    content = hugging_face.content.replace(b"layernorm.bias", b"otherlayr.bias")
    said = refusal(hugging_face, mirror(mirrors.well(content)), tmp_path)
    assert "its bytes do not load (model.safetensors.part is not tiny: 1 tensors are missing (first norm.bias)" in said


def test_a_hugging_face_id_means_the_file_there_and_every_other_name_the_official():
    small = get_architecture("facebook/dinov2-small")
    assert source_meant(small, " Facebook/DINOv2-small") is Source.HUGGING_FACE
    assert {source_meant(small, name) for name in (small.name, *small.aliases, small.mmpretrain)} == {Source.OFFICIAL}


def test_the_real_addresses():
    small, giant = get_architecture("vits14"), get_architecture("vitg14_reg")
    assert [BASES[source] + publication(small, source).path for source in Source] == [
        "https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth",
        "https://huggingface.co/facebook/dinov2-small/resolve/main/model.safetensors",
        "https://download.openmmlab.com/mmpretrain/v1.0/dinov2/vit-small-p14_dinov2-pre_3rdparty_20230426-5641ca5a.pth",
    ]
    assert publication(giant).path == "dinov2_vitg14/dinov2_vitg14_reg4_pretrain.pth"


@pytest.mark.parametrize("row", [row for row in ARCHITECTURES if row.hugging_face], ids=lambda row: row.name)
def test_the_bytes_of_hugging_face_s_files_follow_from_their_tensors(row):
    with torch.device("meta"):
        tensors = as_hugging_face({name: torch.empty(shape) for name, shape in expected_shapes(row).items()})
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(tensors):
        start, end = end, end + tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [start, end]}
    json_bytes = len(json.dumps(header, separators=(",", ":")))
    assert 8 + json_bytes + -json_bytes % 8 + end == row.hugging_face_bytes


def test_no_two_published_files_share_a_digest_or_a_name():
    files = [publication(row, source) for row in ARCHITECTURES for source in Source if has(row, source)]
    assert len(files) == 20
    digests_known = [file.sha256 for file in files if file.sha256]
    assert len(set(digests_known)) == len(digests_known)
    assert len({file.target for file in files}) == len(files)
    assert not is_published(get_architecture("vits14_reg"), "0" * 64)


def has(row: Architecture, source: Source) -> bool:
    return bool({Source.OFFICIAL: row.file, Source.HUGGING_FACE: row.hugging_face}.get(source, row.mmpretrain))
