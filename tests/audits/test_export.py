"""An audit as a file: whole or not at all, harmless whatever pictures are called, and small in memory."""

import csv
import html.parser
import json
import re
from pathlib import Path

import PIL.Image
import pytest
from sqlalchemy import delete, select, update

from app.audits.showing import answers, export, report
from app.catalog.audit_models import Batch, Decision, Group, Member, Move
from app.catalog.models import Image, Location
from app.catalog.states import MoveState, Tier, Word
from app.errors import AlreadyExists, InvalidInput, NotFound, ServiceUnavailable
from app.resources import open_resources
from app.settings import Settings
from tests.audits.groups import Planned, fill
from tests.memory import peak_bytes

HOSTILE = (
    b'/photos/"><script>alert(1)</script>.jpg',
    b"/photos/'onerror='alert(1).jpg",
    b"/photos/caf\xe9 \xff.jpg",
    b"/photos/&lt;b&gt;\x1b[31m\x07\n.jpg",
    "/photos/\u202egpj.exe".encode(),
    b'=cmd|"/c calc"!A1',
    b"@SUM(A1)",
    b"+1+1.jpg",
    b"-2.jpg",
    b"\t=1.jpg",
)


class Strict(html.parser.HTMLParser):
    """Collects tags and text, and complains of tags that don't close."""

    VOID = ("meta", "img", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(path: Path) -> Strict:
    parser = Strict()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    assert parser.open == []
    return parser


def written(resources, audit_id: int, path: Path) -> Path:
    export.write(resources, audit_id, path)
    return path


def keep_thumbnail(resources, digest: str) -> None:
    path = resources.storage.thumbnail(digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (40, 30), (90, 140, 20)).save(path, "WEBP")


@pytest.fixture
def hostile(resources_on_both) -> int:
    return fill(resources_on_both, [Planned(HOSTILE, loses=("<i>GPS</i>",))])


def test_hostile_names_are_text_and_nothing_else(resources_on_both, hostile, tmp_path):
    page = read(written(resources_on_both, hostile, tmp_path / "report.html"))
    tags = {tag for tag, _ in page.seen}
    assert not tags & {"script", "iframe", "object", "form", "link", "i"}
    assert not [name for _, attributes in page.seen for name in attributes if name.startswith("on") or name == "style"]
    assert '/photos/"><script>alert(1)<' in page.text  # the rest is behind a slash: a file of that folder
    assert "caf� �.jpg" in page.text
    assert "\x1b" not in page.text
    assert page.text.count("duplicate") >= len(HOSTILE) - 1


def test_a_report_allows_its_own_style_and_pictures_it_brings_along(resources_on_both, hostile, tmp_path):
    with resources_on_both.catalog.read() as session:
        keep_thumbnail(resources_on_both, session.get(Image, 1).digest)
    page = read(written(resources_on_both, hostile, tmp_path / "report.html"))
    (policy,) = (facts["content"] for tag, facts in page.seen if facts.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    (picture,) = (facts for tag, facts in page.seen if tag == "img")
    assert picture["src"].startswith("data:image/webp;base64,")
    assert picture["loading"] == "lazy"
    assert page.text.count("no preview") == len(HOSTILE) - 1
    assert not re.findall(r"(?:https?:)?//[a-z]", (tmp_path / "report.html").read_text())


def test_no_cell_of_the_table_is_run_by_a_spreadsheet(resources_on_both, hostile, tmp_path):
    path = written(resources_on_both, hostile, tmp_path / "report.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"][0] for row in rows[5:]] == ["'"] * 5
    assert rows[0]["path"] == '/photos/"><script>alert(1)</script>.jpg'
    assert rows[0]["role"] == "keeper"
    assert rows[1]["relation"] == "resized recompressed"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(export.FORMULA)]


def test_the_document_is_what_scripts_are_promised(resources_on_both, hostile, tmp_path):
    path = written(resources_on_both, hostile, tmp_path / "report.json")
    assert json.loads(path.read_text()) == json.loads(json.dumps(answers.document(resources_on_both, hostile)))


def test_an_audit_without_groups_is_written_too(resources_on_both, tmp_path):
    audit_id = fill(resources_on_both, [])
    assert "No duplicates" in read(written(resources_on_both, audit_id, tmp_path / "none.html")).text
    assert json.loads(written(resources_on_both, audit_id, tmp_path / "none.json").read_text())["groups"] == []
    assert len(written(resources_on_both, audit_id, tmp_path / "none.csv").read_text().splitlines()) == 1


def test_groups_stand_by_tier_and_what_frees_most_comes_first(resources_on_both, tmp_path):
    tiers = (Tier.SAME_SCENE, Tier.EDITED, Tier.IDENTICAL)
    planned = [
        Planned((f"/p/{tier}{size}a.jpg", f"/p/{tier}{size}b.jpg"), tier, size) for tier in tiers for size in (5, 70, 6)
    ]
    audit_id = fill(resources_on_both, planned, rules={"order": ["resolution"], "protected": ["/p/<keep>"]})
    text = read(written(resources_on_both, audit_id, tmp_path / "a.html")).text
    names = re.findall(r"(identical|edited|same_scene)(\d+)a\.jpg", text)
    assert names == [(tier, size) for tier in ("identical", "edited", "same_scene") for size in ("70", "6", "5")]
    assert "the largest in pixels" in text
    assert "Protected: /p/<keep>" in text


def test_decisions_moves_and_files_that_went_are_told(resources_on_both, tmp_path):
    audit_id = fill(resources_on_both, [Planned(("/p/a.jpg", "/p/b.jpg"))])
    with resources_on_both.catalog.begin() as session:
        first, second = (session.get(Image, number).digest for number in (1, 2))
        session.add(Decision(first_digest=first, second_digest=second, word=Word.COPIES))
        session.add(Batch(id=1, audit_id=audit_id))
        session.flush()
        session.add(_move(second))
        session.execute(delete(Location).where(Location.id == 2))
        session.execute(update(Group).values(settled=True))
        session.execute(update(Member).where(Member.place == 1).values(marked=True))
    text = read(written(resources_on_both, audit_id, tmp_path / "a.html")).text
    for words in ("copies: 1 pair", "What was moved", "/p/<b>.jpg", "moved or deleted since", "settled", "marked for"):
        assert words in text


def _move(digest: str) -> Move:
    paths = {
        "path_bytes": b"/p/b.jpg",
        "path": "/p/<b>.jpg",
        "quarantine_bytes": b"/q/b.jpg",
        "kept_path_bytes": b"/p/a.jpg",
    }
    facts = {"digest": digest, "kept_digest": digest, "size_bytes": 1000, "mtime_ns": 1, "state": MoveState.MOVED}
    return Move(batch_id=1, collection_id=1, image_id=2, group_id=1, moved_at=1.7e9, **paths, **facts)


def test_what_can_not_be_written_is_one_sentence_and_leaves_nothing(resources_on_both, hostile, tmp_path, monkeypatch):
    for name, sentence in (("a.pdf", r"end it in \.html, \.csv, \.json"), ("none/a.csv", "name a file in a folder")):
        with pytest.raises(InvalidInput, match=sentence):
            export.write(resources_on_both, hostile, tmp_path / name)
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(AlreadyExists, match="is there already"):
        export.write(resources_on_both, hostile, tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "mine"
    assert export.write(resources_on_both, hostile, tmp_path / "mine.csv", replace=True).groups == 1
    (tmp_path / "mine.csv").unlink()
    with pytest.raises(NotFound):
        export.write(resources_on_both, 99, tmp_path / "a.html")
    monkeypatch.setattr(report, "_group", _full_disk)
    with pytest.raises(ServiceUnavailable, match="No space left"):
        export.write(resources_on_both, hostile, tmp_path / "a.html")
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".html", ".part", ".csv")] == []


def _full_disk(*_):
    raise OSError(28, "No space left on device")


def test_pictures_end_where_a_browser_would_and_each_tier_has_its_share(resources_on_both, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "PICTURES", 6)
    planned = [
        Planned((f"/p/{tier}a.jpg", f"/p/{tier}b.jpg", f"/p/{tier}c.jpg", f"/p/{tier}d.jpg"), tier)
        for tier in (Tier.IDENTICAL, Tier.EDITED)
    ]
    audit_id = fill(resources_on_both, planned)
    with resources_on_both.catalog.read() as session:
        for digest in session.scalars(select(Image.digest)):
            keep_thumbnail(resources_on_both, digest)
    page = read(written(resources_on_both, audit_id, tmp_path / "a.html"))
    assert [tag for tag, _ in page.seen if tag in ("h2", "img")] == ["h2", *["img"] * 3, "h2", *["img"] * 3]
    assert page.text.count("no room for more pictures") == 2
    assert all(f"{tier}d.jpg" in page.text for tier in ("identical", "edited"))


def test_groups_of_a_tier_end_where_a_browser_would_and_the_table_has_all(resources_on_both, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "GROUPS", 2)
    planned = [Planned((f"/p/{n}a.jpg", f"/p/{n}b.jpg"), Tier.EDITED, n) for n in range(5)]
    audit_id = fill(resources_on_both, planned)
    text = read(written(resources_on_both, audit_id, tmp_path / "a.html")).text
    assert re.findall(r"(\d)a\.jpg", text) == ["4", "3"]
    assert "the 2 groups that free most" in text
    assert len(written(resources_on_both, audit_id, tmp_path / "a.csv").read_text().splitlines()) == 11


def test_a_damaged_thumbnail_costs_only_itself(resources_on_both, hostile, tmp_path):
    with resources_on_both.catalog.read() as session:
        digest = session.get(Image, 1).digest
    keep_thumbnail(resources_on_both, digest)
    path = resources_on_both.storage.thumbnail(digest)
    path.write_bytes(path.read_bytes()[:40])
    assert read(written(resources_on_both, hostile, tmp_path / "a.html")).text.count("no preview") == len(HOSTILE)


def write_of_home(settings: Settings, audit_id: int, path: Path) -> None:
    export.write(open_resources(settings), audit_id, path)


@pytest.mark.soak
def test_many_thousand_groups_are_streamed(resources, tmp_path):
    planned = (Planned((f"/p/{n}a.jpg", f"/p/{n}b.jpg", f"/p/{n}c.jpg"), list(Tier)[n % 4], n) for n in range(20_000))
    audit_id = fill(resources, planned)
    for suffix in (".html", ".csv", ".json"):
        path = tmp_path / f"big{suffix}"
        peak, _ = peak_bytes(write_of_home, resources.settings, audit_id, path)
        assert peak < 60e6, suffix
        assert path.stat().st_size < 100e6
