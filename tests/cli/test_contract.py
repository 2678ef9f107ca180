"""docs of the command line hold: every command, its JSON, its exit codes, one line per refusal."""

import json
import socket
import sqlite3
import stat
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from app.cli.main import COMMANDS
from app.cli.output import print_table
from tests import servers
from tests.conftest import paint
from tests.program import Program, document

COUNTS = ("seen", "added", "known", "failed", "skipped")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    with Program(tmp_path_factory.mktemp("cli") / "home", model="untrained_vits14") as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    for number in range(6):
        paint(made / f"{number}.jpg", number)
    (made / "notes.csv").write_text("a,b\n")
    (made / "broken.jpg").write_bytes((made / "0.jpg").read_bytes()[:900])
    PIL.Image.new("1", (12_000, 12_000)).save(made / "bomb.png")  # 18 kB that unfold to 144 million pixels
    return made


@pytest.fixture(scope="module")
def ingested(program, folder) -> dict:
    return program.json("ingest", folder, "-c", "photos")


def test_ingest_answers_as_the_contract_says(ingested, folder):
    assert {name: ingested[name] for name in COUNTS} == {"seen": 9, "added": 6, "known": 0, "failed": 2, "skipped": 1}
    assert ingested["collection"] == "photos"
    assert ingested["seconds"] > 0
    failures = {Path(failure["path"]).name: failure for failure in ingested["failures"]}
    assert set(failures) == {"broken.jpg", "bomb.png"}
    assert all(set(failure) == {"path", "error", "reason"} for failure in failures.values())
    assert failures["broken.jpg"]["error"] == "truncated"
    assert "DINOSEEK_MAX_PIXELS" in failures["bomb.png"]["reason"]
    assert (ingested["model"], ingested["trained"]) == ("untrained_vits14", False)


def test_a_second_ingest_adds_nothing_and_still_names_the_failures(ask, folder, ingested):
    again = ask("ingest", folder, "-c", "photos", "--no-wait")
    assert {name: again[name] for name in COUNTS} == {"seen": 9, "added": 0, "known": 6, "failed": 2, "skipped": 1}


def test_failures_answer_as_the_contract_says_and_get_another_try(ask, folder, ingested):
    failures = partial(ask, "failures", "-c", "photos")
    found = failures()
    assert set(found) == {"collection", "failed", "codes", "failures", "retried"}
    assert (found["collection"], found["failed"], found["retried"]) == ("photos", 2, 0)
    assert found["codes"] == {"too_large": 1, "truncated": 1}
    rows = {Path(row["path"]).name: row for row in found["failures"]}
    assert all(set(row) == {"image_id", "path", "error", "reason", "attempts"} for row in rows.values())
    assert (rows["broken.jpg"]["error"], rows["broken.jpg"]["attempts"]) == ("truncated", 1)
    assert len(failures("--limit", "1")["failures"]) == 1
    again = failures("--code", "truncated", "--retry")
    assert (again["failed"], again["retried"]) == (1, 1)
    assert failures()["codes"] == {"too_large": 1}
    now = ask("progress", "-c", "photos")
    assert {name: now[name] for name in ("total", "ready", "waiting", "failed")} == {
        "total": 8,
        "ready": 6,
        "waiting": 1,
        "failed": 1,
    }
    assert (now["obstacle"], now["bottleneck"], now["workers"]) == ("no worker is alive", None, [])
    watched = ask("workers")
    assert watched["workers"] == []
    (waits,) = watched["waiting"]
    assert (waits["collection"], waits["images"], waits["obstacle"]) == ("photos", 1, "no worker is alive")
    assert ask("ingest", folder, "-c", "photos")["failed"] == 2  # refused again, with its reason


def test_failures_progress_and_workers_speak_to_people_too(here, ingested):
    told = here("failures", "-c", "photos", "--limit", "1")
    assert "too_large" in told.stdout
    assert "… and 1 more" in told.stderr
    assert "searchable" in here("progress", "-c", "photos").stdout
    assert "no worker is alive" in here("workers").stderr


def test_search_answers_as_the_contract_says(ask, folder, ingested):
    found = ask("search", folder / "3.jpg", "-c", "photos", "-k", "4")
    assert {"collection", "model", "query", "k", "hits", "took_ms"} <= set(found)
    assert set(found["took_ms"]) == {"embed", "search", "rerank", "total"}
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3, 4]
    first = found["hits"][0]
    assert set(first) == {"rank", "image_id", "path", "score", "box", "matches"}
    assert (first["path"], first["score"]) == (str(folder / "3.jpg"), pytest.approx(1.0, abs=1e-4))
    assert found["trained"] is False


def test_search_by_a_box(ask, folder, ingested):
    found = ask("search", folder / "3.jpg", "-c", "photos", "--box", "0,0,0.5,0.5")
    assert len(found["hits"]) == 6
    assert max(hit["score"] for hit in found["hits"]) < 0.9999


def test_collections_live_and_come_back(ask, ingested):
    assert ask("collections", "create", "other", "--model", "untrained_vits14")["images"] == 0
    ask("collections", "delete", "other")
    assert [row["name"] for row in ask("collections", "list")] == ["photos"]
    assert ask("collections", "restore", "other")["name"] == "other"
    assert {row["name"] for row in ask("collections", "list")} == {"photos", "other"}


def test_index_status_and_build(ask, ingested):
    before = ask("index", "status", "-c", "photos")
    assert set(before) == {"collection", "model", "images", "snapshot", "tail", "tombstones", "state", "regions"}
    assert (before["images"], before["snapshot"], before["tail"], before["regions"]) == (6, None, 6, None)
    built = ask("index", "build", "-c", "photos")
    assert {"recipe", "vectors", "bytes", "recall_at_10", "build_s", "built_at"} == set(built["snapshot"])
    assert (built["snapshot"]["vectors"], built["tail"], built["state"]) == (6, 0, "fresh")
    assert ask("index", "verify", "-c", "photos")["snapshot"]["vectors"] == 6


def test_embed_writes_unit_vectors_in_the_order_given(ask, folder, tmp_path, ingested):
    out = tmp_path / "vectors.npy"
    ask("embed", folder / "5.jpg", folder / "1.jpg", folder / "5.jpg", "--model", "untrained_vits14", "--out", out)
    vectors = np.load(out)
    assert (vectors.shape, vectors.dtype) == ((3, 384), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-6)
    assert not np.allclose(vectors[0], vectors[1])


def test_models_list_has_the_contracts_fields(ask):
    rows = {row["name"]: row for row in ask("models", "list")}
    small = rows["dinov2_vits14"]
    assert (small["hugging_face"], small["mmpretrain"], small["dim"], small["depth"], small["heads"]) == (
        "facebook/dinov2-small",
        "vit-small-p14_dinov2-pre_3rdparty",
        384,
        12,
        6,
    )
    assert (small["registers"], small["params_m"], small["macs_g_518"], small["weights"]) == (
        0,
        22.06,
        46.76,
        "missing",
    )
    assert rows["untrained_vits14"]["trained"] is False


def test_doctor_names_each_setting_and_what_to_do(program, ask, ingested):
    found = ask("doctor")
    assert {"name": "DINOSEEK_HOME", "value": str(program.home), "source": "environment"} in found["settings"]
    checks = {check["part"]: check for check in found["checks"]}
    assert checks["database"]["state"] == "ok"
    assert checks["model"] == {
        "part": "model",
        "state": "warning",
        "finding": "untrained_vits14: untrained encoder, it sees colours and layout, not things",
        "remedy": "dinoseek models pull dinov2_vits14",
    }


def refused(done, code: int = 1) -> str:
    """The one line of a refusal."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


DOORS = {
    "not an image": (("search", "{folder}/notes.csv", "-c", "photos"), "notes.csv"),
    "a broken image": (("search", "{folder}/broken.jpg", "-c", "photos"), "cut short"),
    "a bomb": (("search", "{folder}/bomb.png", "-c", "photos"), "DINOSEEK_MAX_PIXELS"),
    "no such file": (("search", "{folder}/nowhere.jpg", "-c", "photos"), "is no file"),
    "a wrong box": (("search", "{folder}/1.jpg", "-c", "photos", "--box", "0.9,0,0.1,1"), "0 ≤ x0 < x1 ≤ 1"),
    "a box of words": (("search", "{folder}/1.jpg", "-c", "photos", "--box", "left"), "four numbers"),
    "too many hits": (("search", "{folder}/1.jpg", "-c", "photos", "-k", "100000"), "1 to 1000"),
    "an unknown collection": (("search", "{folder}/1.jpg", "-c", "nope"), "no collection is called 'nope' (there are:"),
    "a folder that is not there": (("ingest", "{folder}/nowhere", "-c", "photos"), "is not there: check the path"),
    "no weights": (("collections", "create", "x", "--model", "dinov2_vitl14"), "dinoseek models pull dinov2_vitl14"),
    "an unknown model": (("collections", "create", "x", "--model", "resnet"), "resnet"),
    "an unknown detail": (("collections", "create", "x", "--instances", "heavy"), "off, light, full"),
    "an unknown precision": (("collections", "create", "x", "--precision", "int4"), "float32, bfloat16, float16, int8"),
    "an unknown preprocessing": (("collections", "create", "x", "--preprocessing", "stretch"), "squash224"),
    "a name that is a path": (("collections", "create", "../x"), "can't name a collection"),
    "a name that is taken": (("collections", "create", "photos"), "already there"),
    "weights that are none": (("models", "check", "{folder}/1.jpg"), "1.jpg"),
    "an unknown code": (("failures", "-c", "photos", "--code", "blurred"), "truncated"),
    "progress of nothing": (("progress", "-c", "nope"), "no collection is called 'nope'"),
    "nothing to restore": (("collections", "restore", "never"), "nothing to restore"),
    "a bad output name": (("embed", "{folder}/1.jpg", "--out", "{folder}/x.txt"), "must end in .npy"),
}


@pytest.mark.parametrize("door", DOORS)
def test_bad_input_at_each_door_is_one_line(here, folder, ingested, door):
    arguments, said = DOORS[door]
    line = refused(here(*(argument.format(folder=folder) for argument in arguments)))
    assert line.startswith("dinoseek: ")
    assert said in line
    assert "\n" not in line


@pytest.mark.parametrize("arguments", [("search",), ("nonsense",), ("ingest", "--nonsense")])
def test_wrong_usage_exits_with_2(here, arguments):
    assert here(*arguments).returncode == 2


def test_a_taken_port_is_one_line(program):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port}" in refused(program.run("up", "--port", port)).splitlines()[-1]


def test_a_home_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    line = refused(Program(tmp_path / "file" / "home").run("collections", "list"))
    assert "can't be written" in line
    assert "DINOSEEK_HOME" in line


def test_a_bad_setting_is_named(tmp_path, monkeypatch, capfd):
    line = refused(Program(tmp_path, batch_images="many").here(monkeypatch, capfd, "collections", "list"))
    assert "DINOSEEK_BATCH_IMAGES='many'" in line
    line = refused(Program(tmp_path, allowed_roots="/photos").here(monkeypatch, capfd, "collections", "list"))
    assert "allowed_roots" in line
    assert "as JSON" in line


def test_a_dead_broker_loses_nothing_and_says_so(tmp_path, folder, monkeypatch, capfd):
    program = Program(tmp_path / "home", broker_url=f"redis://127.0.0.1:{servers.free_port()}/0")
    here = partial(program.here, monkeypatch, capfd)
    done = program.run("ingest", folder, "-c", "photos", "--no-wait", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["added"] == 8  # nothing is decoded yet
    assert "the broker can't be reached" in done.stderr
    (waiting,) = document(here("collections", "list", "--json"))
    assert waiting["pending"] == 8
    checks = here("doctor", "--json")
    assert checks.returncode == 1
    broker = next(check for check in json.loads(checks.stdout)["checks"] if check["part"] == "broker")
    assert broker["state"] == "failed"


def test_a_dead_database_is_one_line_without_its_password(tmp_path):
    program = Program(tmp_path, database_url="postgresql://me:hidden@127.0.0.1:1/none")
    line = refused(program.run("collections", "list"))
    assert "can't be used" in line
    assert "hidden" not in line


def test_the_signing_secret_is_the_owners_alone(tmp_path):
    from app.storage import Storage

    storage = Storage(tmp_path)
    first = storage.secret()
    (tmp_path / "secret").chmod(0o644)
    assert storage.secret() == first
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_weights_that_are_others_now_stop_the_ingest_in_one_line(folder, program, here, ask, ingested):
    """A collection made with weights that are gone: nothing is embedded with others, and a person is told."""
    with sqlite3.connect(program.home / "dinoseek.db") as catalogue:
        catalogue.execute(
            "INSERT INTO model_keys (model, weights_sha256, preprocessing, precision, dim, trained)"
            " SELECT model, 'f', preprocessing, precision, dim, 1 FROM model_keys"
        )
        catalogue.execute("INSERT INTO collections (name, model_key_id, seq, created_at) VALUES ('old', 2, 0, 0.0)")
    done = here("ingest", folder, "-c", "old")
    assert done.returncode == 1
    assert "put those weights back, or take these with" in done.stderr.replace("\n", " ")
    (old,) = [row for row in ask("collections", "list") if row["name"] == "old"]
    assert (old["pending"], old["failed"]) == (8, 0)


def test_every_command_is_listed_with_its_sentence(program):
    shown = program.run("--help").stdout
    assert all(name in shown for name in COMMANDS)


def test_a_path_with_square_brackets_is_printed_as_it_is(capsys):
    print_table(("path",), [("/photos/a[red].jpg",), ("/photos/[/].jpg",)])
    assert "/photos/a[red].jpg" in (shown := capsys.readouterr().out)
    assert "/photos/[/].jpg" in shown
