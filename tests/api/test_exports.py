"""An audit as a file by signed address: whole, as a download, and nothing of it stays on the server."""

import csv
import io
import tempfile

import pytest

from app.api import face
from app.audits.showing import answers
from tests.audits.many import fill


@pytest.fixture
def audit_id(house, resources):
    """Of a home of its own, in the same application."""
    face.install(resources)
    yield fill(resources, 60)
    face.close()


def get(house, audit_id: int, suffix: str):
    return house.client.get(face.current().export(audit_id, suffix))


def test_every_form_is_sent_as_a_download(house, audit_id, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for suffix, kind in ((".csv", "text/csv"), (".json", "application/json"), (".html", "text/html")):
        answer = get(house, audit_id, suffix)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert list(tmp_path.glob("dinoseek-export-*")) == []


def test_what_is_sent_is_what_the_audit_says(house, resources, audit_id):
    sent = get(house, audit_id, ".json").json()
    assert sent == answers.document(resources, audit_id)
    rows = list(csv.DictReader(io.StringIO(get(house, audit_id, ".csv").text.lstrip("\ufeff"))))
    assert len(rows) == sum(len(group["members"]) for group in sent["groups"])


def test_a_form_or_an_audit_that_is_not_there_is_refused(house, audit_id):
    assert get(house, audit_id, ".exe").status_code == 400
    assert get(house, 99, ".csv").status_code == 404
