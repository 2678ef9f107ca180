"""Fetching weights from a real server on loopback that misbehaves in every way we know of."""

import hashlib
import random
import socket
from pathlib import Path

import pytest

from app.errors import AlreadyExists, InvalidInput, WeightsUnavailable
from app.vision import digests, download, fetch
from app.vision.architectures import Architecture, get_architecture
from app.vision.published import Source
from tests.vision import mirrors
from tests.vision.mirrors import Mirror, Request

CONTENT = random.Random(7).randbytes(300_000)
well = mirrors.well(CONTENT)


def published(**row) -> Architecture:
    row = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "size_bytes": len(CONTENT)} | row
    return Architecture(name="tiny", aliases=(), dim=64, depth=1, file="tiny/tiny_pretrain.pth", **row)


def pull(mirror: Mirror, folder: Path, architecture: Architecture | None = None, **options) -> Path:
    path = fetch.pull(architecture or published(), folder, base_url=mirror.base_url, **options)
    assert path == folder / "tiny_pretrain.pth"
    assert path.read_bytes() == CONTENT
    assert [file.name for file in folder.iterdir() if file.suffix == ".part"] == []
    return path


def refusal(mirror: Mirror, folder: Path, architecture: Architecture | None = None) -> str:
    with pytest.raises(WeightsUnavailable) as refused:
        fetch.pull(architecture or published(), folder, base_url=mirror.base_url)
    said = str(refused.value)
    assert said.startswith(f"tiny can't be fetched from {mirror.base_url}/tiny/tiny_pretrain.pth (")
    way_out = "yourself, or name another place by `models pull --mirror`"
    assert said.endswith(f": put tiny_pretrain.pth into {folder} {way_out}")
    assert "\n" not in said
    assert not (folder / "tiny_pretrain.pth").exists()
    return said


def test_a_file_arrives_whole_with_progress_and_its_digest(mirror, tmp_path):
    seen = []
    path = pull(mirror(well), tmp_path / "weights", on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (300_000, 300_000)
    assert digests.recall(path) == hashlib.sha256(CONTENT).hexdigest()


def test_a_file_that_is_here_is_not_fetched_again(mirror, tmp_path):
    server = mirror(well)
    pull(server, tmp_path)
    pull(server, tmp_path)
    assert server.starts == [0]


def test_another_file_of_that_name_is_left_alone(mirror, tmp_path):
    mine = tmp_path / "tiny_pretrain.pth"
    mine.write_bytes(b"mine")
    with pytest.raises(AlreadyExists, match="move it away"):
        fetch.pull(published(), tmp_path, base_url=mirror(well).base_url)
    assert mine.read_bytes() == b"mine"


def test_a_connection_cut_again_and_again_is_resumed(mirror, tmp_path):
    server = mirror(mirrors.cutting(CONTENT, every=70_000))
    pull(server, tmp_path)
    assert server.starts == [0, 70_000, 140_000, 210_000, 280_000]


def test_a_server_that_says_too_short_a_length_is_asked_for_the_rest(mirror, tmp_path):
    def short(request: Request, start: int) -> None:
        part = CONTENT[start : start + 200_000]
        request.send_part(start, part, len(part))

    server = mirror(short)
    pull(server, tmp_path)
    assert server.starts == [0, 200_000]


def test_what_one_run_left_the_next_goes_on_with(mirror, tmp_path):
    (tmp_path / "tiny_pretrain.pth.part").write_bytes(CONTENT[:123_456])
    server = mirror(well)
    pull(server, tmp_path)
    assert server.starts == [123_456]


def test_a_server_that_ignores_ranges_is_read_from_the_start(mirror, tmp_path):
    (tmp_path / "tiny_pretrain.pth.part").write_bytes(CONTENT[:123_456])
    pull(mirror(lambda request, start: well(request, 0)), tmp_path)


def test_a_part_of_another_file_is_thrown_away_and_fetched_afresh(mirror, tmp_path):
    (tmp_path / "tiny_pretrain.pth.part").write_bytes(b"x" * 1000)
    server = mirror(well)
    pull(server, tmp_path)
    assert server.starts == [1000, 0]


def test_a_whole_part_needs_no_server(tmp_path):
    (tmp_path / "tiny_pretrain.pth.part").write_bytes(CONTENT)
    path = fetch.pull(published(), tmp_path, base_url="http://127.0.0.1:9/closed")
    assert path.read_bytes() == CONTENT


def test_a_size_nobody_published_is_taken_from_the_server(mirror, tmp_path):
    def ranged(request: Request, start: int) -> None:
        if start >= len(CONTENT):
            return request.send(416, b"", length=0)
        return well(request, start)

    (tmp_path / "tiny_pretrain.pth.part").write_bytes(CONTENT)
    pull(mirror(ranged), tmp_path, published(size_bytes=None))


def test_wrong_bytes_are_refused_and_removed(mirror, tmp_path):
    def wrong(request: Request, start: int) -> None:
        request.send_part(start, bytes(len(CONTENT) - start), len(CONTENT) - start)

    assert "(its bytes are not the published ones and were removed)" in refusal(mirror(wrong), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_stream_without_end_is_stopped_at_the_published_size(mirror, tmp_path):
    sent = 0

    def endless(request: Request, start: int) -> None:
        nonlocal sent
        request.send(200, b"")
        while sent < 2**28:
            request.wfile.write(bytes(2**16))
            sent += 2**16

    assert "not the published ones" in refusal(mirror(endless), tmp_path)
    assert sent < 2**25


def test_a_server_that_always_cuts_at_the_same_byte_ends_it_and_keeps_the_part(mirror, tmp_path):
    def stuck(request: Request, start: int) -> None:
        request.send_part(start, CONTENT[start:100_000], len(CONTENT) - start)

    said = refusal(mirror(stuck), tmp_path)
    assert "the connection was cut" in said
    assert "100,000 bytes are kept for the next try" in said
    pull(mirror(well), tmp_path)


def test_a_server_that_sends_another_part_than_asked_for_is_refused(mirror, tmp_path):
    def other(request: Request, start: int) -> None:
        request.send(
            206, CONTENT[5:], length=len(CONTENT) - 5, Content_Range=f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"
        )

    (tmp_path / "tiny_pretrain.pth.part").write_bytes(CONTENT[:10])
    assert "another part of the file than was asked for" in refusal(mirror(other), tmp_path)


@pytest.mark.parametrize(
    ("status", "said"), [(404, "the server answered 404 Not Found"), (503, "503 Service Unavailable")]
)
def test_a_refusal_of_the_server_is_passed_on(mirror, tmp_path, status, said):
    assert said in refusal(mirror(lambda request, start: request.send(status, b"", length=0)), tmp_path)


def test_a_redirect_is_followed(mirror, tmp_path):
    target = mirror(well)
    away = {"Location": f"{target.base_url}/elsewhere"}
    pull(mirror(lambda request, start: request.send(302, b"", length=0, **away)), tmp_path)


def test_a_closed_port_is_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(WeightsUnavailable, match=r"\(Connection refused\): put tiny_pretrain.pth into"):
            fetch.pull(published(), tmp_path, base_url=base_url)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_answers_nothing_is_given_up_within_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", download.httpx.Timeout(1, connect=0.2))
    with socket.socket() as full:  # nobody accepts, and the queue has no room: connecting hangs
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        with pytest.raises(WeightsUnavailable, match=r"no connection within 0.2 s|nothing came for 1 s"):
            fetch.pull(published(), tmp_path, base_url=f"http://127.0.0.1:{address[1]}")
        for each in waiting:
            each.close()


def test_two_at_once_do_not_mix(mirror, tmp_path):
    part = tmp_path / "tiny_pretrain.pth.part"
    with fetch._part_of(tmp_path / "tiny_pretrain.pth") as held:
        held.write(b"theirs")
        held.flush()
        assert "(another process is fetching it)" in refusal(mirror(well), tmp_path)
        assert part.read_bytes() == b"theirs"


def test_a_folder_that_is_none_is_one_sentence(mirror, tmp_path):
    folder = tmp_path / "weights"
    folder.write_text("")
    with pytest.raises(WeightsUnavailable, match=r"tiny can't be fetched from .* \(File exists\)"):
        fetch.pull(published(), folder, base_url=mirror(well).base_url)


def test_an_address_that_is_none_is_one_sentence(tmp_path):
    with pytest.raises(WeightsUnavailable, match="tiny can't be fetched from nonsense"):
        fetch.pull(published(), tmp_path, base_url="nonsense")


def test_a_model_without_a_file_has_nothing_to_fetch(tmp_path):
    with pytest.raises(InvalidInput, match="needs no download: its weights come with dinoseek"):
        fetch.pull(get_architecture("untrained_vits14"), tmp_path)


def test_a_publisher_that_has_not_this_model_is_refused_with_those_that_have(tmp_path):
    with pytest.raises(InvalidInput, match="is not published as mmpretrain: choose official or huggingface"):
        fetch.pull(get_architecture("dinov2_vits14_reg"), tmp_path, source=Source.MMPRETRAIN)
