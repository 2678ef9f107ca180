"""Each NVIDIA card gets a worker; without one, what was asked for stands."""

import subprocess
import sys

import pytest
import torch

from app.cli import devices as module
from app.cli.devices import devices
from app.cli.supervisor import Supervisor
from tests.conftest import make_settings

CARDS = [f"cuda:{number}" for number in range(torch.cuda.device_count())]


@pytest.mark.parametrize("wanted", ["cpu", "mps", "cuda:1"])
def test_a_device_that_is_named_gets_the_one_worker(wanted):
    assert devices(wanted) == [wanted]


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_all_cards_that_torch_can_use_get_one_each(monkeypatch, tmp_path, wanted):
    monkeypatch.setattr(module, "NVIDIA", tmp_path)  # as where a driver is loaded
    assert devices(wanted) == (CARDS or [wanted])
    monkeypatch.setattr(module, "NVIDIA", tmp_path / "absent")
    assert devices(wanted) == [wanted]


def test_a_worker_is_started_on_the_device_it_is_given(tmp_path):
    log = tmp_path / "worker.log"
    supervisor = Supervisor(make_settings(tmp_path / "home"), log, device="sundial")
    supervisor.start()
    with pytest.raises(Exception, match="device 'sundial': expected auto, cpu"):
        supervisor.wait()


def test_who_keeps_workers_loads_neither_page_nor_network():
    code = "import sys, app.cli.worker; print({'torch', 'streamlit', 'uvicorn'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_the_names_come_from_torch():
    told = subprocess.run([sys.executable, "-m", "app.vision.device"], capture_output=True, text=True, check=True)
    assert told.stdout.split() == CARDS
