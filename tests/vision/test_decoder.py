"""Decode children: one bad picture costs only itself, whatever it does to its process."""

import hashlib
import io
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from app.errors import InvalidInput, NotFound, UnreadableImage
from app.vision import decode_child, decoder
from app.vision.decoder import Decoder
from tests.conftest import make_settings, paint
from tests.program import wait_until
from tests.vision.poisonous_child import LIES
from tests.vision.processes import LINUX, decode_children_of, has_ended

HANGS_S = 4  # no time for a small picture that decodes, however busy the machine
POISONOUS = (sys.executable, "-P", str(Path(__file__).with_name("poisonous_child.py")))


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    return paint(tmp_path_factory.mktemp("pictures") / "one.jpg", 1, (160, 120))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with Decoder(make_settings(tmp_path_factory.mktemp("home"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory):
    settings = make_settings(tmp_path_factory.mktemp("home"), decode_timeout_s=HANGS_S, decode_memory_bytes=2**28)
    with Decoder(settings, POISONOUS) as opened:
        yield opened


def refusal(future) -> tuple[str, str]:
    with pytest.raises(UnreadableImage) as refused:
        future.result(timeout=60)
    assert "\n" not in str(refused.value)
    return refused.value.code, str(refused.value)


def test_a_file_comes_back_prepared(desk, picture):
    prepared = desk.submit(picture, thumbnail=True).result()
    assert prepared.digest == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert prepared.pixels.shape == (224, 224, 3)
    assert (prepared.height_px, prepared.width_px, prepared.size_bytes) == (120, 160, picture.stat().st_size)
    assert (prepared.format, prepared.frames, prepared.taken_at, prepared.notes) == ("JPEG", 1, None, ())
    assert PIL.Image.open(io.BytesIO(prepared.thumbnail)).size == (160, 120)
    assert len(pickle.dumps(prepared)) < 200_000


def test_bytes_and_a_file_give_the_same(desk, picture):
    by_path, by_bytes = desk.submit(picture).result(), desk.submit(picture.read_bytes()).result()
    assert by_path.digest == by_bytes.digest
    assert (by_path.pixels == by_bytes.pixels).all()
    assert by_bytes.thumbnail is None


def test_the_time_taken_crosses_over(desk, tmp_path):
    exif = PIL.Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:07:14 12:34:56"
    PIL.Image.new("RGB", (8, 8)).save(tmp_path / "dated.jpg", exif=exif)
    assert desk.submit(tmp_path / "dated.jpg").result().taken_at == datetime(2019, 7, 14, 12, 34, 56)


def test_a_box_reaches_the_child_and_a_wrong_one_is_the_caller_s(desk, picture):
    whole, part = desk.submit(picture).result(), desk.submit(picture, box=(0.5, 0.5, 1, 1)).result()
    assert (whole.pixels != part.pixels).any()
    with pytest.raises(InvalidInput, match="covers no pixel"):
        desk.submit(picture, box=(0.5, 0.5, 0.5, 0.9)).result()


def test_a_picture_decoded_at_reduced_scale_comes_back_with_its_own_size(desk, tmp_path):
    path = paint(tmp_path / "large.jpg", 3, (2000, 1500))
    prepared = desk.submit(path, thumbnail=True).result()
    assert (prepared.height_px, prepared.width_px) == (1500, 2000)
    assert PIL.Image.open(io.BytesIO(prepared.thumbnail)).size == (512, 384)
    in_full = desk.submit(path, preprocessing="squash224-v1").result()
    assert 0 < np.abs(prepared.pixels.astype(int) - in_full.pixels).mean() < 2


@pytest.mark.parametrize(("name", "shape"), [("pad224-v1", (224, 224, 3)), ("grid224-v1", (196, 252, 3))])
def test_the_preprocessing_asked_for_reaches_the_child(desk, picture, name, shape):
    assert desk.submit(picture, preprocessing=name).result().pixels.shape == shape
    with pytest.raises(NotFound, match="no preprocessing is called 'stretch'"):
        desk.submit(picture, preprocessing="stretch")


@pytest.mark.parametrize("name", ["müll \n'\".jpg", "x" * 200 + ".jpg", "\udcff.jpg"])
def test_any_file_name_will_do(desk, tmp_path, name):
    path = paint(tmp_path / "plain.jpg", 2).rename(tmp_path / name)
    assert desk.submit(path).result().format == "JPEG"


def test_what_is_no_regular_file_is_refused(desk, picture, tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to(picture)
    (tmp_path / "folder.jpg").mkdir()
    said = {name: refusal(desk.submit(tmp_path / name)) for name in ("pipe.jpg", "link.jpg", "folder.jpg", "gone.jpg")}
    assert said == {
        "pipe.jpg": ("unreadable", "this is no regular file"),
        "link.jpg": ("unreadable", "the file can't be read: it is a link"),
        "folder.jpg": ("unreadable", "the file can't be read: Is a directory"),
        "gone.jpg": ("unreadable", "the file can't be read: No such file or directory"),
    }


def test_a_file_that_grows_while_it_is_read_is_refused(picture, monkeypatch):
    real = os.fstat

    def grown(descriptor: int):
        facts = real(descriptor)
        with picture.open("ab") as file:
            file.write(b"!")
        return facts

    monkeypatch.setattr(decode_child.os, "fstat", grown)
    with pytest.raises(UnreadableImage, match="changed while it was read"):
        decode_child.read_regular_file(str(picture), 2**20)


def test_limits_reach_the_child(tmp_path, picture):
    with Decoder(make_settings(tmp_path, max_pixels=1000, decode_processes=1)) as small:
        assert refusal(small.submit(picture)) == (
            "too_large",
            "19,200 pixels are over the limit of 1,000: make the picture smaller or raise DINOSEEK_MAX_PIXELS",
        )
    with Decoder(make_settings(tmp_path, max_file_bytes=1000, decode_processes=1)) as small:
        assert refusal(small.submit(picture))[0] == "too_large"


@LINUX
def test_a_picture_past_the_memory_limit_is_refused_by_name(tmp_path):
    PIL.Image.new("RGB", (6000, 6000)).save(tmp_path / "wide.png")
    with Decoder(make_settings(tmp_path, decode_memory_bytes=2**26, decode_processes=1)) as small:
        assert refusal(small.submit(tmp_path / "wide.png"))[0] == "decoder_memory"


@pytest.mark.parametrize("death", ["abort", "segfault", "exit", "python-error", *LIES])
def test_a_crash_costs_one_picture(poisoned, picture, death):
    after = [poisoned.submit(picture.read_bytes(), name=death), *(poisoned.submit(picture) for _ in range(3))]
    assert refusal(after[0])[0] == "decoder_crashed"
    assert [future.result().format for future in after[1:]] == ["JPEG"] * 3


@pytest.mark.parametrize("death", ["sleep", "sleep-in-c", "spin"])
def test_a_hang_ends_at_the_limit_and_costs_one_picture(poisoned, picture, death):
    hung = poisoned.submit(picture.read_bytes(), name=death)
    assert poisoned.submit(picture).result().format == "JPEG"  # the other child goes on
    code, said = refusal(hung)
    assert code == "decoder_timeout"
    assert said.startswith(f"decoding took longer than {HANGS_S} s")


def test_a_picture_that_takes_too_much_of_the_processor_is_refused_for_good(tmp_path, picture):
    with Decoder(make_settings(tmp_path, decode_cpu_s=0.5, decode_processes=1), POISONOUS) as opened:
        code, said = refusal(opened.submit(picture.read_bytes(), name="spin"))
        assert code == "decoder_cpu"
        assert said.startswith("decoding takes over 0.5 s of processor time")
        assert opened.submit(picture).result().format == "JPEG"


def test_each_picture_has_its_own_time(tmp_path, picture):
    """What one left of its limits is not the next one's, and waiting costs none."""
    with Decoder(make_settings(tmp_path, decode_cpu_s=0.5, decode_timeout_s=HANGS_S, decode_processes=1)) as opened:
        for _ in range(3):
            time.sleep(HANGS_S / 2)
            assert all(opened.submit(picture).result() for _ in range(40))


def test_a_slow_disk_has_time_of_its_own(tmp_path, picture):
    program = (sys.executable, "-P", str(Path(__file__).with_name("slow_disk_child.py")))
    slow = {"decode_timeout_s": 4, "decode_cpu_s": 0.5, "decode_processes": 1}
    with Decoder(make_settings(tmp_path, read_timeout_s=60, **slow), program) as opened:
        assert opened.submit(picture).result().format == "JPEG"
    with Decoder(make_settings(tmp_path, read_timeout_s=0.7, **slow), program) as opened:
        code, said = refusal(opened.submit(picture))
        assert code == "decoder_timeout"
        assert said.startswith("its bytes did not come within 0.7 s")


@LINUX
def test_greed_for_memory_ends_at_the_limit(poisoned, picture):
    assert refusal(poisoned.submit(picture.read_bytes(), name="gobble"))[0] == "decoder_memory"
    assert poisoned.submit(picture).result().format == "JPEG"


@LINUX
def test_a_child_killed_while_idle_costs_nothing(desk, picture):
    assert desk.submit(picture).result()
    for child in decode_children_of(os.getpid()):
        os.kill(child, signal.SIGKILL)
    assert [desk.submit(picture).result().format for _ in range(4)] == ["JPEG"] * 4


def test_a_crash_an_earlier_picture_caused_costs_nothing(tmp_path, picture):
    with Decoder(make_settings(tmp_path, decode_processes=1), POISONOUS) as opened:
        first, second = opened.submit(picture.read_bytes(), name="die-at-the-next"), opened.submit(picture)
        assert first.result().digest == second.result().digest


def test_children_are_replaced_after_their_share(tmp_path, picture, monkeypatch):
    monkeypatch.setattr(decoder, "TASKS_PER_CHILD", 2)
    started = []
    real = decoder.subprocess.Popen
    monkeypatch.setattr(decoder.subprocess, "Popen", lambda *a, **k: started.append(1) or real(*a, **k))
    with Decoder(make_settings(tmp_path, decode_processes=1)) as opened:
        assert [opened.submit(picture).result().frames for _ in range(5)] == [1] * 5
    assert len(started) == 3


def test_a_module_lying_in_the_working_folder_is_not_imported(tmp_path, picture, monkeypatch):
    for name in ("numpy", "PIL", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('I should not run')")
    monkeypatch.chdir(tmp_path)
    with Decoder(make_settings(tmp_path, decode_processes=1)) as opened:
        assert opened.submit(picture).result().format == "JPEG"


def test_decoding_imports_no_torch():
    code = "import sys, app.vision.decode_child, app.vision.decoder; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


MAIN = """
import sys
from pathlib import Path
from app.settings import Settings
from app.vision.decoder import Decoder

print("main", flush=True)
with Decoder(Settings(_env_file=None, decode_processes=1)) as decoder:
    print(decoder.submit(Path(sys.argv[1])).result().format, flush=True)
    sys.stdin.read()
"""


@LINUX
def test_children_import_neither_the_main_module_nor_torch_and_die_with_their_parent(tmp_path, picture):
    (tmp_path / "mainly.py").write_text("import torch\n" + textwrap.dedent(MAIN))  # no guard, as people write scripts
    parent = subprocess.Popen(
        [sys.executable, "-m", "mainly", str(picture)],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert [parent.stdout.readline(), parent.stdout.readline()] == ["main\n", "JPEG\n"]
        (child,) = decode_children_of(parent.pid)
        assert "libtorch" not in Path(f"/proc/{child}/maps").read_text()
        parent.kill()
    wait_until(lambda: has_ended(child), "the end of the child")


def test_what_hangs_gives_up_its_seat_and_no_more_than_one(tmp_path, picture):
    """With one seat: while one hangs another is decoded; while two hang the third waits."""
    with Decoder(make_settings(tmp_path, decode_timeout_s=8, decode_processes=1), POISONOUS) as opened:
        first = opened.submit(picture.read_bytes(), name="sleep")
        assert opened.submit(picture).result().height_px > 0
        assert not first.done()
        second, third = opened.submit(picture.read_bytes(), name="sleep"), opened.submit(picture)
        assert refusal(first)[0] == "decoder_timeout"
        assert not second.done()
        assert third.result().height_px > 0
        assert not second.done()
        assert refusal(second)[0] == "decoder_timeout"


def test_closing_drops_what_waits(tmp_path, picture):
    opened = Decoder(make_settings(tmp_path, decode_timeout_s=2, decode_processes=1), POISONOUS)
    running = opened.submit(picture.read_bytes(), name="sleep")
    waiting = [opened.submit(picture) for _ in range(50)]
    while not running.running():
        time.sleep(0.01)
    opened.close()
    assert all(future.cancelled() for future in waiting[1:])  # the first one takes the seat of what hangs
    assert refusal(running)[0] == "decoder_timeout"
