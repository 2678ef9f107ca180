"""Archives: member by member, within limits; whatever is wrong with one costs only itself, with its reason."""

import io
import itertools
import os
import random
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from app import library, whereabouts
from app.catalog.models import Image, Location, Source
from app.catalog.states import ImageStatus, PlaceKind
from app.ingest import scan
from app.ingest.report import ScanReport
from tests.conftest import paint
from tests.ingest import reading
from tests.memory import peak_bytes
from tests.workshop import COLLECTION, fill

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
# a zip's table of contents stands at its end; bzip2 packs in blocks of which the first was cut
WHOLE_IN_HALF = {".zip": 0, ".tar.bz2": 0}
MODES = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}


def pack(path: Path, files: dict[str, bytes]) -> Path:
    suffix = next(suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if path.name.endswith(suffix))
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path
    with tarfile.open(path, MODES[suffix]) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def files(photos) -> dict[str, bytes]:
    return {str(path.relative_to(photos)): path.read_bytes() for path in sorted(photos.rglob("*.*"))}


def ingest(resources, *paths: Path) -> ScanReport:
    return scan.ingest(resources, paths, COLLECTION)


def failures(report: ScanReport) -> dict[str, tuple[str, str]]:
    return {receipt.path: (receipt.error, receipt.reason) for receipt in report.receipts if receipt.outcome == "failed"}


def stored(resources) -> list[Path]:
    return [path for path in (resources.settings.home / "originals").rglob("*") if path.is_file()]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_kind_of_archive_gives_its_pictures_in_order_and_needs_no_original(rows, files, tmp_path, suffix):
    path = pack(tmp_path / f"all{suffix}", files | {"notes.txt": b"hello"})
    report = ingest(rows, path)
    assert report.counts == {"seen": 7, "added": 6, "known": 0, "failed": 0, "skipped": 1}
    path.unlink()
    with rows.catalog.read() as session:
        found = session.execute(select(Location.path, Location.kind, Image.stored).join(Image).order_by(Location.id))
        assert [tuple(row) for row in found] == [(f"{path}/{name}", PlaceKind.MEMBER, True) for name in files]
    assert sorted(path.read_bytes() for path in stored(rows)) == sorted(files.values())
    assert whereabouts.original(rows, 1).read_bytes() == files[next(iter(files))]


def test_pictures_of_an_archive_become_searchable_after_it_has_gone(shop, files, tmp_path):
    path = pack(tmp_path / "all.zip", files)
    report = fill(shop, path)
    assert report.counts["added"] == 6
    assert {picture.status for picture in library.pictures(shop.resources, COLLECTION)} == {"ready"}


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_an_archive_that_did_not_change_is_not_unpacked_again(rows, files, tmp_path, suffix, monkeypatch):
    path = pack(tmp_path / f"all{suffix}", files)
    ingest(rows, path)
    monkeypatch.setattr(scan, "take", lambda found, *_: pytest.fail(f"{found} was read again"))
    assert ingest(rows, path).counts == {"seen": 6, "added": 0, "known": 6, "failed": 0, "skipped": 0}


def test_a_touched_archive_is_read_and_its_pictures_are_known(rows, files, tmp_path):
    path = pack(tmp_path / "all.zip", files)
    ingest(rows, path)
    os.utime(path, ns=(1, 1))
    assert ingest(rows, path).counts["known"] == 6
    assert len(stored(rows)) == 6


HARMLESS = ("/etc/passwd.jpg", "../../../../tmp/escaped.jpg", "a/../../b.jpg", "C:\\windows\\x.jpg", "//server/y.jpg")


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_names_are_only_shown_and_never_a_path(rows, photos, tmp_path, suffix):
    data = (photos / "0.jpg").read_bytes()
    path = pack(tmp_path / f"names{suffix}", {name: data + bytes([i]) for i, name in enumerate(HARMLESS)})
    before = set(tmp_path.rglob("*"))
    assert ingest(rows, path).counts["added"] == len(HARMLESS)
    new = set(tmp_path.rglob("*")) - before
    assert all(rows.settings.home in file.parents for file in new)
    with rows.catalog.read() as session:
        assert session.scalars(select(Location.path)).first() == f"{path}/etc/passwd.jpg"


def test_links_devices_and_hidden_folders_are_passed_over(rows, photos, tmp_path):
    path, data = tmp_path / "links.tar", (photos / "0.jpg").read_bytes()
    with tarfile.open(path, "w") as archive:
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(f"{number}.jpg")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        for name in ("real.jpg", ".trash/old.jpg"):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert ingest(rows, path).counts == {"seen": 1, "added": 1, "known": 0, "failed": 0, "skipped": 0}


def test_a_link_in_a_zip_is_passed_over(rows, files, tmp_path):
    path = pack(tmp_path / "links.zip", files)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("link.jpg")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert ingest(rows, path).counts["seen"] == 6


def test_the_same_name_twice_loses_neither(rows, photos, tmp_path):
    path = tmp_path / "twice.tar"
    with tarfile.open(path, "w") as archive:
        for number in (0, 1):
            info = tarfile.TarInfo("same.jpg")
            data = (photos / f"{number}.jpg").read_bytes()
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert ingest(rows, path).counts["added"] == 2
    with rows.catalog.read() as session:
        assert list(session.scalars(select(Location.path))) == [f"{path}/same.jpg", f"{path}/same.jpg (2)"]


def test_a_name_that_is_no_utf8_is_kept(rows_on_both, photos, tmp_path):
    path = tmp_path / "names.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cafX.jpg", (photos / "0.jpg").read_bytes())
    path.write_bytes(path.read_bytes().replace(b"cafX.jpg", b"caf\xe9.jpg"))
    assert ingest(rows_on_both, path).counts["added"] == 1
    with rows_on_both.catalog.read() as session:
        (row,) = session.execute(select(Location.path_bytes, Location.path)).all()
    assert row == (os.fsencode(path) + b"/caf\xe9.jpg", f"{path}/caf�.jpg")


def test_an_archive_within_an_archive_and_a_document_are_one_failure_each(rows, files, tmp_path):
    inner = pack(tmp_path / "inner.zip", files).read_bytes()
    path = pack(tmp_path / "outer.zip", {"inner.zip": inner, "letter.pdf": b"%PDF-1.7"} | files)
    report = ingest(rows, path)
    assert report.counts == {"seen": 8, "added": 6, "known": 0, "failed": 2, "skipped": 0}
    assert failures(report)[f"{path}/inner.zip"][0] == "not_a_picture"


def test_an_encrypted_member_says_so_and_the_rest_go_on(rows, files, tmp_path):
    path = pack(tmp_path / "secret.zip", files)
    _set_flag(path, "2.jpg", 0x1)
    report = ingest(rows, path)
    assert (report.counts["added"], report.counts["failed"]) == (5, 1)
    code, reason = failures(report)[f"{path}/2.jpg"]
    assert code == "encrypted"
    assert "password" in reason


def test_a_member_with_a_bad_checksum_is_one_failure_and_leaves_no_copy(rows, files, tmp_path):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    spoilt = bytearray(path.read_bytes())
    spoilt[spoilt.index(files["1.jpg"]) + 900] ^= 0xFF
    path.write_bytes(spoilt)
    report = ingest(rows, path)
    assert (report.counts["added"], report.counts["failed"]) == (5, 1)
    assert failures(report)[f"{path}/1.jpg"][0] == "damaged"
    assert sorted(file.read_bytes() for file in stored(rows)) == sorted(set(files.values()) - {files["1.jpg"]})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_archive_is_one_failure_and_keeps_what_came_before(rows, files, tmp_path, suffix):
    files = {name: data + random.Random(name).randbytes(200_000) for name, data in files.items()}
    path = pack(tmp_path / f"cut{suffix}", files)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    report = ingest(rows, path)
    assert failures(report)[str(path)][0] == "damaged"
    assert report.counts["failed"] == 1
    assert report.counts["added"] == WHOLE_IN_HALF.get(suffix, 2)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_archive_but_is_called_one_is_one_failure(rows, tmp_path, suffix):
    path = tmp_path / f"noise{suffix}"
    path.write_bytes(random.Random(1).randbytes(5000))
    report = ingest(rows, path)
    assert report.counts == {"seen": 1, "added": 0, "known": 0, "failed": 1, "skipped": 0}
    assert failures(report)[str(path)][0] == "damaged"


def test_a_damaged_header_in_the_middle_of_a_tar_is_no_end(rows, files, tmp_path):
    path = pack(tmp_path / "middle.tar", files)
    spoilt = bytearray(path.read_bytes())
    at = spoilt.index(b"3.jpg\0")
    spoilt[at : at + 100] = bytes(range(100))
    path.write_bytes(spoilt)
    report = ingest(rows, path)
    assert failures(report)[str(path)][0] == "damaged"
    assert report.counts["added"] == 3  # 0.jpg, 1.jpg, 2.jpg


def test_a_bomb_of_one_member_is_refused_without_being_unfolded(rows, files, tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("bomb.bmp", "w") as member:
            for _ in range(100):
                member.write(bytes(2**20))
        for name, data in files.items():
            archive.writestr(name, data)
    report = ingest(rows, path)
    assert failures(report)[f"{path}/bomb.bmp"][0] == "bomb"
    assert report.counts["added"] == 6


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_a_bomb_of_many_members_stops_at_the_limit(rows, tmp_path, suffix):
    rows.settings.archive_max_unpacked_bytes = 3_000_000
    blank = b"\x89PNG\r\n\x1a\n" + bytes(1_000_000)
    path = pack(tmp_path / f"many{suffix}", {f"{i}.png": blank + bytes([i]) for i in range(10)})
    report = ingest(rows, path)
    assert report.counts["added"] == 2
    assert failures(report)[str(path)][0] == "bomb"
    assert "DINOSEEK_ARCHIVE_MAX_UNPACKED_BYTES" in failures(report)[str(path)][1]


def test_a_lie_about_a_members_size_does_not_help_it(rows, tmp_path):
    """Its header says small; what comes out is counted all the same."""
    rows.settings.max_file_bytes = 100_000
    path = pack(tmp_path / "lie.zip", {"big.png": b"\x89PNG\r\n\x1a\n" + bytes(5_000_000)})
    report = ingest(rows, path)
    assert failures(report)[f"{path}/big.png"][0] == "too_large"


def test_too_many_members_stop_at_the_limit(rows, files, tmp_path):
    rows.settings.archive_max_members = 4
    report = ingest(rows, pack(tmp_path / "many.tar", files))
    assert (report.counts["added"], report.counts["failed"]) == (4, 1)


def test_a_vast_table_of_contents_is_refused_before_it_is_read(rows, tmp_path):
    rows.settings.archive_max_members = 10
    path = pack(tmp_path / "names.zip", {f"{'x' * 200} {i}.jpg": b"" for i in range(100)})
    report = ingest(rows, path)
    assert report.counts == {"seen": 1, "added": 0, "known": 0, "failed": 1, "skipped": 0}


def test_a_long_header_of_a_tar_is_not_read_into_memory(rows, tmp_path):
    path = tmp_path / "header.tar"
    info = tarfile.TarInfo("x.jpg")
    info.type, info.size = tarfile.XHDTYPE, 300 * 2**20
    path.write_bytes(info.tobuf() + bytes(2**20))
    peak, report = peak_bytes(reading.ingest, rows.settings, COLLECTION, path)
    assert peak < 50 * 2**20
    assert failures(report)[str(path)][0] == "bomb"


def test_a_large_archive_is_never_held_whole(rows, tmp_path):
    path = tmp_path / "large.zip"
    noise = random.Random(0).randbytes(2**20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(3):
            with archive.open(f"{number}.png", "w") as member:
                member.write(b"\x89PNG\r\n\x1a\n" + bytes([number]))
                for _ in range(40):
                    member.write(noise)
    peak, report = peak_bytes(reading.ingest, rows.settings, COLLECTION, path)
    assert report.counts["added"] == 3
    assert peak < 20 * 2**20


def test_mutated_archives_end_the_program_never(rows, files, tmp_path):
    """Bytes changed at random: what can be read is added, the rest is a failure with a reason."""
    chance = random.Random(7)
    for number, suffix in itertools.product(range(12), (".zip", ".tar", ".tar.gz", ".tar.xz")):
        path = pack(tmp_path / f"{number}{suffix}", files)
        spoilt = bytearray(path.read_bytes())
        for _ in range(chance.choice((1, 5, 50))):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        path.write_bytes(spoilt)
        report = ingest(rows, path)
        assert all(reason for _, reason in failures(report).values())
        assert report.counts["seen"] >= 1


def test_an_archive_that_is_gone_is_away_and_its_pictures_stay(rows, files, tmp_path):
    path = pack(tmp_path / "all.zip", files)
    ingest(rows, path)
    path.unlink()
    report = ingest(rows, path)
    assert [absent.address for absent in report.away] == [str(path)]
    with rows.catalog.read() as session:
        assert set(session.scalars(select(Image.status))) == {ImageStatus.PENDING}
        assert session.scalars(select(Source.copied)).one() is True


def test_a_members_path_is_never_looked_for_on_the_disk(rows, files, tmp_path):
    """Its bytes turn up elsewhere: the member has not moved."""
    path = pack(tmp_path / "all.zip", files)
    ingest(rows, path)
    ingest(rows, tmp_path / "photos")
    with rows.catalog.read() as session:
        assert len(session.scalars(select(Location.id)).all()) == 12


def test_an_archive_in_a_folder_is_not_copied_unasked(rows, photos, files):
    path = pack(photos / "all.zip", files)
    report = ingest(rows, photos)
    assert (report.counts["added"], report.counts["failed"]) == (6, 1)
    assert "give its own path to `dinoseek ingest`" in failures(report)[str(path)][1]
    assert stored(rows) == []


def _set_flag(path: Path, name: str, flag: int) -> None:
    """In both headers of a member of a zip."""
    data = bytearray(path.read_bytes())
    for signature, flags_at, name_at in ((b"PK\3\4", 6, 30), (b"PK\1\2", 8, 46)):
        at = next(at for at in _places(data, signature) if data[at + name_at :].startswith(name.encode()))
        (old,) = struct.unpack_from("<H", data, at + flags_at)
        struct.pack_into("<H", data, at + flags_at, old | flag)
    path.write_bytes(data)


def _places(data: bytes, wanted: bytes) -> list[int]:
    return [at for at in range(len(data)) if data.startswith(wanted, at)]


def test_an_upload_is_no_file_that_moved(rows, photos):
    from app.ingest import receive

    data = (photos / "0.jpg").read_bytes()
    receipt = receive.upload(rows, COLLECTION, "0.jpg", data)
    paint(photos / "new.jpg", 88)
    ingest(rows, photos)
    with rows.catalog.read() as session:
        kinds = session.scalars(select(Location.kind).where(Location.image_id == receipt.image_id))
        assert sorted(kinds) == [PlaceKind.FILE, PlaceKind.UPLOAD]
