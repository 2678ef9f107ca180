"""`dinoseek audit decisions`: what was said, the newest first, and each taken back by its number."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.audits.grouping import decisions
from app.audits.showing import answers
from app.catalog.states import Word
from app.resources import open_resources
from tests.audits.tree import Tree
from tests.conftest import make_settings
from tests.program import Program

Ask = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def tree(tmp_path) -> Iterator[Tree]:
    """A picture and two edited copies of it, of which a person said something in audit 1."""
    resources = open_resources(make_settings(tmp_path / "home"))
    made = Tree(resources, tmp_path / "photos")
    first, *copies = (made.write(f"{name}.jpg", name.encode()) for name in "abc")
    made.known()
    for copy in copies:
        made.edited(first, copy)
    for copy, word in zip(copies, (Word.DIFFERENT, Word.SAME_SCENE), strict=True):
        group = answers.document(resources, 1)["groups"][0]["group_id"]
        decisions.decide(resources, 1, group, word, [made.image_at(copy)])
    yield made
    resources.catalog.dispose()


@pytest.fixture
def ask(tree, tmp_path, monkeypatch, capfd) -> Iterator[Ask]:
    with Program(tmp_path / "home") as program:
        yield lambda *arguments: program.here(monkeypatch, capfd, "audit", "decisions", *arguments)


def told(done: subprocess.CompletedProcess) -> list[tuple[str, set[str]]]:
    assert done.returncode == 0, done.stderr
    return [(one["word"], {Path(side["path"]).name for side in one["pictures"]}) for one in json.loads(done.stdout)]


def test_decisions_are_listed_and_one_is_taken_back(ask, tree):
    different, scene = ("different", {"a.jpg", "b.jpg"}), ("same_scene", {"a.jpg", "c.jpg"})
    assert told(ask(1, "--json")) == [scene, different]
    shown = ask(1).stdout
    assert shown.index("same_scene") < shown.index("different")
    number = json.loads(ask(1, "--json").stdout)[1]["id"]
    assert told(ask(1, "--take-back", number, "--json")) == [scene]
    assert [tree.root / "a.jpg", tree.root / "b.jpg"] in tree.grouped()
    again = ask(1, "--take-back", number)
    assert (again.returncode, again.stdout) == (1, "")
    assert len(again.stderr.splitlines()) == 1
    assert "taken back already" in again.stderr


def test_an_audit_that_is_not_there_is_refused_in_one_line(ask):
    done = ask(9)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no audit 9" in done.stderr
