"""Work waits, messages are sent, and none arrives: such a worker ends, and is started again."""

import subprocess
import sys

from app import library
from app.ingest import scan
from app.resources import open_resources
from tests import servers
from tests.conftest import make_settings, paint
from tests.program import PATIENCE_S
from workers.pulse import STUCK

QUIET_S = 3.0  # thrice what a deaf one gives itself


def test_a_worker_that_hears_nothing_ends_itself(tmp_path):
    with servers.redis(tmp_path) as broker:
        resources = open_resources(make_settings(tmp_path / "home"))
        library.create_collection(resources, "photos")
        child = [sys.executable, "-m", "tests.workers.deaf_child", str(tmp_path / "home"), broker]
        idle = subprocess.Popen(child, stdout=subprocess.PIPE, text=True)
        assert idle.stdout.readline() == "looking\n"
        assert _still_runs(idle)  # no work waits: nothing is sent, and nothing is missed
        scan.ingest(resources, [paint(tmp_path / "one.jpg", 1)], "photos")
        idle.communicate(timeout=PATIENCE_S)
        assert idle.returncode == STUCK
        resources.catalog.dispose()


def _still_runs(process: subprocess.Popen) -> bool:
    try:
        process.wait(timeout=QUIET_S)
    except subprocess.TimeoutExpired:
        return True
    return False
