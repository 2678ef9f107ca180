"""The named points: each is in the code, arms as it says, and is nothing while unarmed."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

from app.faults import Point

APP = Path(__file__).parents[1] / "app"
REACH_TWICE = """
import sys
from app.faults import Point, reach
reach(Point(sys.argv[1]))
print("alive")
"""


def reached_in(path: Path) -> list[str]:
    """Names of the points that a file reaches."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    calls = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "reach"]
    return [call.args[0].attr for call in calls if isinstance(call.args[0], ast.Attribute)]


def reach(point: Point, armed: str) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name != "DINOSEEK_FAULT"}
    command = [sys.executable, "-c", REACH_TWICE, point]
    return subprocess.run(command, env=environment | {"DINOSEEK_FAULT": armed}, capture_output=True, text=True)


def test_each_point_is_in_the_code():
    reached = {name for path in APP.rglob("*.py") for name in reached_in(path)}
    assert reached == {point.name for point in Point}


def test_who_reaches_an_armed_point_is_killed_once_and_no_other(tmp_path):
    armed = f"{Point.AFTER_EMBED}:{tmp_path / 'marker'}"
    assert reach(Point.AFTER_CLAIM, armed).stdout == "alive\n"
    assert reach(Point.AFTER_EMBED, armed).returncode == -signal.SIGKILL
    assert (tmp_path / "marker").exists()
    assert reach(Point.AFTER_EMBED, armed).stdout == "alive\n"
