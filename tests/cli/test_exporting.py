"""Export and threshold on the command line: their documents, and what is refused in one line."""

import json
import re
from functools import partial

import pytest

from app.audits import runs
from app.audits.evidence import labels
from app.audits.showing import answers
from app.resources import Resources, open_resources
from app.search.refresh import Readers
from tests.audits.album import picture, shrunk, write
from tests.conftest import make_settings
from tests.program import Program
from tests.workshop import COLLECTION, fill


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    with Program(tmp_path_factory.mktemp("cli") / "home") as opened:
        yield opened


@pytest.fixture(scope="module")
def audited(program, tmp_path_factory, workshop_at) -> dict:
    """Eight pictures, each with a smaller copy."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(8):
        write(folder / f"{number}.jpg", picture(number))
        write(folder / f"{number} small.jpg", shrunk(picture(number)))
    fill(shop := workshop_at(program.home), folder)
    audit_id = runs.open_audit(shop.resources, COLLECTION)
    assert runs.run_now(shop.resources, audit_id, shop.decoder, Readers(shop.resources))
    return answers.document(shop.resources, audit_id)


@pytest.fixture
def ask(here, audited):
    return partial(here, "audit")


def test_export_writes_each_form_and_says_where(ask, audited, tmp_path):
    for form in ("html", "csv", "json"):
        file = tmp_path / f"copies.{form}"
        told = json.loads(ask("export", audited["audit_id"], file, "--json").stdout)
        assert told == {
            "audit_id": audited["audit_id"],
            "file": str(file),
            "groups": len(audited["groups"]),
            "bytes": file.stat().st_size,
        }
    assert json.loads((tmp_path / "copies.json").read_text())["groups"] == audited["groups"]
    pictures = re.findall("data:image/webp;base64,", (tmp_path / "copies.html").read_text())
    assert len(pictures) == sum(len(group["members"]) for group in audited["groups"])


def test_export_replaces_nothing_unless_told_to(ask, audited, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("mine")
    refused = ask("export", audited["audit_id"], file)
    assert (refused.returncode, refused.stdout, file.read_text()) == (1, "", "mine")
    assert refused.stderr.count("\n") == 1
    assert "--force" in refused.stderr
    assert ask("export", audited["audit_id"], file, "--force").returncode == 0
    assert file.read_text("utf-8-sig").startswith("group_id,")


def test_export_of_what_is_not_there_is_one_line(ask, audited, tmp_path):
    for arguments in ((999, tmp_path / "a.csv"), (audited["audit_id"], tmp_path / "a.pdf")):
        refused = ask("export", *arguments)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert list(tmp_path.iterdir()) == []


def test_threshold_answers_refuses_without_evidence_and_is_set_with_it(ask, program, audited):
    audit_id = audited["audit_id"]
    told = json.loads(ask("threshold", audit_id, "--json").stdout)
    assert set(told) == {"audit_id", "threshold", "target", "labels", "copies", "unsure", "pairs", "worth"}
    assert (told["target"], told["labels"], told["worth"]) == (None, 0, None)
    refused = ask("threshold", audit_id, "--target", "0.9")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "label more pairs" in refused.stderr

    resources = open_resources(make_settings(program.home))
    _label_all(resources, audit_id)
    resources.catalog.dispose()
    chosen = ask("threshold", audit_id, "--target", "0.9", "--json")
    told = json.loads(chosen.stdout)
    assert (told["target"], told["worth"]["precision_low"]) == (0.9, 1.0)
    assert "dinoseek audit run -c photos" in chosen.stderr
    waits = ask("threshold", audit_id, "--json")
    assert (json.loads(waits.stdout)["threshold"], json.loads(waits.stdout)["labels"]) == (told["threshold"], None)
    assert f"audit {audit_id} is waiting" in waits.stderr
    cleared = json.loads(ask("threshold", audit_id, "--clear", "--json").stdout)
    assert cleared["target"] is None
    assert ask("threshold", audit_id, "--clear", "--target", "0.9").returncode == 1


def _label_all(resources: Resources, audit_id: int) -> None:
    """Copies are of one number."""
    while (asked := labels.next_pair(resources, audit_id)) is not None:
        copies = asked.first.name.split(".")[0].split()[0] == asked.second.name.split(".")[0].split()[0]
        labels.label(resources, audit_id, asked.first.image_id, asked.second.image_id, copies)
