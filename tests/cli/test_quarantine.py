"""`dinoseek audit quarantine`, `restore`, `history`: their JSON, who is asked, one line per refusal."""

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.audits.acting.shelf import SHELF
from app.resources import open_resources
from tests.audits.tree import Tree, held, shelved
from tests.conftest import make_settings
from tests.program import PATIENCE_S, Program

AS_ANYONE = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")  # root, but bound by modes like others
Ask = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def program(tmp_path) -> Iterator[Program]:
    with Program(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def tree(program, tmp_path) -> Iterator[Tree]:
    """Two pictures with a copy each, in audit 1."""
    resources = open_resources(make_settings(program.home))
    made = Tree(resources, tmp_path / "photos")
    for name in "ab":
        made.pair(name, f"the bytes of {name}".encode())
    made.known()
    yield made
    resources.catalog.dispose()


@pytest.fixture
def ask(program, tree, monkeypatch, capfd) -> Ask:
    return lambda *arguments: program.here(monkeypatch, capfd, "audit", *arguments)


def answer(done: subprocess.CompletedProcess) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refusal(done: subprocess.CompletedProcess) -> str:
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


def test_a_dry_run_shows_what_quarantine_then_does(ask, tree):
    before = held(tree.root)
    planned = answer(ask("quarantine", 1, "--dry-run", "--json"))
    assert held(tree.root) == before
    done = answer(ask("quarantine", 1, "--yes", "--json"))
    assert planned == done | {"dry_run": True, "batch_id": None}
    assert {name: value for name, value in done.items() if name != "moves"} == {
        "audit_id": 1,
        "batch_id": 1,
        "dry_run": False,
        "link": False,
        "moved": 2,
        "bytes": 28,
        "refused": [],
    }
    first = done["moves"][0]
    assert (first["path"], first["kept"]) == (str(tree.root / "copies/a.jpg"), str(tree.root / "a.jpg"))
    assert (first["bytes"], first["group_id"]) == (14, 1)
    assert Path(first["to"]).read_bytes() == b"the bytes of a"


def test_restore_answers_with_what_is_back(ask, tree):
    before = held(tree.root)
    moves = answer(ask("quarantine", 1, "--yes", "--json"))["moves"]
    path = tree.root / "copies" / "b.jpg"
    one = answer(ask("restore", 1, "--path", path, "--yes", "--json"))
    assert one == {
        "audit_id": 1,
        "dry_run": False,
        "restored": 1,
        "bytes": 14,
        "files": [{"path": str(path), "from": moves[1]["to"], "bytes": 14, "batch_id": 1}],
        "refused": [],
    }
    assert answer(ask("restore", "--batch", 1, "--dry-run", "--json"))["restored"] == 1
    (facts,) = answer(ask("history", 1, "--json"))
    assert {name: facts[name] for name in ("id", "status", "moved", "restored", "refused", "planned", "bytes")} == {
        "id": 1,
        "status": "done",
        "moved": 1,
        "restored": 1,
        "refused": 0,
        "planned": 0,
        "bytes": 14,
    }
    assert answer(ask("restore", 1, "--yes", "--json"))["restored"] == 1
    assert held(tree.root) == before


def test_restore_from_a_folder_needs_no_rows(ask, tree, tmp_path, monkeypatch, capfd):
    before = held(tree.root)
    answer(ask("quarantine", 1, "--yes", "--json"))
    with Program(tmp_path / "new home") as fresh:
        options = ("--from", tree.root / SHELF.decode(), "--yes", "--json")
        done = answer(fresh.here(monkeypatch, capfd, "audit", "restore", *options))
    assert (done["audit_id"], done["restored"]) == (None, 2)
    assert held(tree.root) == before


def test_a_refused_file_is_told_beside_what_was_done(ask, tree):
    (tree.root / "a.jpg").write_bytes(b"changed since")
    done = answer(ask("quarantine", 1, "--yes", "--json"))
    assert (done["moved"], [Path(one["path"]).name for one in done["refused"]]) == (1, ["a.jpg"])
    assert "other bytes than the audit saw" in done["refused"][0]["reason"]


def test_links_and_groups_are_options(ask, tree):
    done = answer(ask("quarantine", 1, "--groups", "2", "--link", "--yes", "--json"))
    assert (done["link"], [move["group_id"] for move in done["moves"]]) == (True, [2])
    assert (tree.root / "copies/b.jpg").stat().st_ino == (tree.root / "b.jpg").stat().st_ino


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("quarantine", 9, "--dry-run"), "no audit 9"),
        (("quarantine", 1, "--groups", "2,x", "--dry-run"), "--groups has 'x'"),
        (("quarantine", 1, "--groups", "7", "--dry-run"), "no group 7"),
        (("quarantine", 1), "--yes"),
        (("restore", 1), "--yes"),
        (("restore", "--yes"), "nothing is named"),
        (("restore", 1, "--from", "/nowhere", "--yes"), "leave out the numbers"),
        (("restore", "--from", "/nowhere", "--yes"), "no readable ledger"),
        (("restore", 1, "--path", "/nowhere", "--yes"), "nothing in quarantine came from /nowhere"),
        (("history", 9), "no audit 9"),
    ],
)
def test_a_refusal_is_one_line_and_nothing_moves(ask, tree, monkeypatch, arguments, said):
    before = held(tree.root)
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert said in refusal(ask(*arguments))
    assert held(tree.root) == before


def test_tables_name_files_and_what_to_do_next(ask, tree):
    shown = ask("quarantine", 1, "--dry-run")
    assert "copies/a.jpg" in shown.stdout
    assert "would go into quarantine; nothing was touched" in shown.stderr
    done = ask("quarantine", 1, "--yes")
    assert "2 files, 0.0 MB, are in quarantine; 0 were left" in done.stderr
    assert "dinoseek audit restore --batch 1" in done.stderr
    assert "done" in ask("history", 1).stdout
    assert "2 files, 0.0 MB, are back" in ask("restore", 1, "--yes").stderr


def on_terminal(program: Program, reply: str, *arguments: object) -> str:
    """What a person sees who answers so."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "app.cli", "audit", *map(str, arguments)]
    process = subprocess.Popen(
        command, env=program.environment, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    os.write(ours, f"{reply}\n".encode())
    told, _ = process.communicate(timeout=PATIENCE_S)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, told
    return told


def test_on_a_terminal_a_person_is_asked(program, tree):
    before = held(tree.root)
    assert "Move 2 files, 0.0 MB, into quarantine?" in on_terminal(program, "n", "quarantine", 1)
    assert held(tree.root) == before
    on_terminal(program, "y", "quarantine", 1)
    assert len(shelved(tree.root)) == 2
    assert "Bring back 2 files" in on_terminal(program, "y", "restore", 1)
    assert held(tree.root) == before
    assert "nothing is to be brought back" in on_terminal(program, "y", "restore", 1)


def without_powers(program: Program, *arguments: object) -> dict:
    """As somebody whom a folder's mode binds: root is not bound by it."""
    before = AS_ANYONE if os.geteuid() == 0 else ()
    if before and shutil.which(before[0]) is None:
        pytest.skip("root passes every folder's mode, and there is no setpriv to give that power up")
    command = [*before, sys.executable, "-m", "app.cli", "audit", *map(str, arguments), "--yes", "--json"]
    return answer(subprocess.run(command, env=program.environment, capture_output=True, text=True, timeout=PATIENCE_S))


def test_a_folder_that_may_not_be_changed_is_left_and_said_so(program, ask, tree):
    copies, before = tree.root / "copies", held(tree.root)
    copies.chmod(0o555)
    refused = without_powers(program, "quarantine", 1)["refused"]
    assert {one["reason"] for one in refused} == {"its folder can't be changed: give dinoseek leave to, then ask again"}
    assert held(tree.root) == before
    copies.chmod(0o755)
    assert answer(ask("quarantine", 1, "--yes", "--json"))["moved"] == 2
    copies.chmod(0o555)
    refused = without_powers(program, "restore", 1)["refused"]
    assert all("Permission denied" in one["reason"] for one in refused)
    copies.chmod(0o755)
    assert answer(ask("restore", 1, "--yes", "--json"))["restored"] == 2
    assert held(tree.root) == before


def test_where_the_upper_folder_is_closed_files_lie_in_the_lower_one(program, ask, tree):
    before = held(tree.root)
    tree.root.chmod(0o555)
    moves = without_powers(program, "quarantine", 1)["moves"]
    assert {Path(move["to"]).relative_to(tree.root).parts[:2] for move in moves} == {("copies", SHELF.decode())}
    tree.root.chmod(0o755)
    assert answer(ask("restore", 1, "--yes", "--json"))["restored"] == 2
    assert held(tree.root) == before


def test_a_file_that_may_not_be_read_is_left(program, tree):
    (tree.root / "a.jpg").chmod(0)
    done = without_powers(program, "quarantine", 1)
    assert done["moved"] == 1
    assert "the copy that stays can't be read (Permission denied)" in done["refused"][0]["reason"]
