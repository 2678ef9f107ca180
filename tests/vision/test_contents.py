"""What a file is, told without decoding: a picture, something meant as one, or none of our business."""

import csv

import pytest

from app.vision.contents import HEAD_BYTES, sniff

JPEG, PNG = b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
ISO = b"\0\0\0\x20ftyp"


@pytest.mark.parametrize(
    ("name", "head", "what"),
    [
        ("a.jpg", JPEG, "JPEG"),
        ("a.png", JPEG, "JPEG"),
        ("no suffix", PNG, "PNG"),
        ("notes.txt", PNG, "PNG"),
        ("clip.mp4", JPEG, "JPEG"),
        ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 ", "WEBP"),
        ("a.gif", b"GIF89a\1\0\1\0", "GIF"),
        ("a.tif", b"MM\0*\0\0\0\x08", "TIFF"),
        ("a.bmp", b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "BMP"),
        ("a", b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "BMP"),
        ("a.pgm", b"P5\n# by hand\n4 4\n255\n", "PPM"),
        ("a.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
        ("a.j2k", b"\xff\x4f\xff\x51\0\x2f", "JPEG2000"),
        ("a.avif", ISO + b"avif\0\0\0\0avifmif1miaf", "AVIF"),
        ("a.avif", ISO + b"mif1\0\0\0\0mif1avifmiaf", "AVIF"),
        ("a.heic", ISO + b"heic\0\0\0\0mif1heicmiaf", "HEIF"),
        ("a.heif", ISO + b"mif1\0\0\0\0mif1heicmiaf", "HEIF"),
    ],
)
def test_a_picture_is_known_by_its_bytes(name, head, what):
    found = sniff(head, name)
    assert (found.kind, found.what, found.reason, found.code) == ("picture", what, None, None)


@pytest.mark.parametrize(
    ("name", "head", "code", "words"),
    [
        ("a.jpeg", b"", "empty", "the file is empty"),
        ("a.jpg", b"<!doctype html>", "not_a_picture", "named .jpg, but its bytes are text and no JPEG"),
        ("a.jpg", b"\0\1\2\3", "not_a_picture", "its bytes are other data"),
        ("a.jpg", ISO + b"isom\0\0\0\0", "not_a_picture", "no JPEG"),
        ("a.bin", PNG[1:], "damaged", "a damaged PNG"),
        ("a.bin", b"\0\1\2\3", "not_a_picture", "of no picture format we know"),
        ("a.pdf", b"%PDF-1.7\n", "not_a_picture", "a PDF document"),
        ("a.npy", b"\x93NUMPY\1\0", "not_a_picture", "a NumPy array"),
        ("labels.json", b'{"images": []}', "not_a_picture", "a JSON document"),
        ("list.v2.json", b"\n[]", "not_a_picture", "a JSON document"),
        ("a.zip", b"PK\3\4", "not_a_picture", "unpack it"),
        ("a.tar", bytes(257) + b"ustar\0", "not_a_picture", "a tar archive"),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "unsupported_format", "Ghostscript"),
        ("a.psd", b"8BPS\0\1", "unsupported_format", "a Photoshop document"),
        ("a.tga", b"\0\0\x0a\0", "unsupported_format", "a TGA picture (.tga)"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format", "an SVG drawing"),
        ("a.nef", b"MM\0*\0\0\0\x08", "unsupported_format", "a camera raw file (.nef)"),
    ],
)
def test_what_was_meant_as_a_picture_is_refused_by_name(name, head, code, words):
    found = sniff(head, name)
    assert (found.kind, found.code) == ("failed", code)
    assert words in found.reason


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("list.csv", b"a,b\n1,2\n"),
        ("readme", b"plain words"),
        ("old.txt", "Größe".encode("latin-1")),
        ("note.txt", "Größe".encode("utf-16")),
        ("cut.md", "é".encode() * 3 + b"\xc3"),
        ("empty.txt", b""),
        ("IMG_1.jpg.json", b"{}"),
        ("IMG_1.HEIC.supplemental-metadata.json", b"{}"),
        ("clip.mp4.json", b"{}"),
        ("metadata.json", b"{}"),
        ("truth.json", b"{}"),
        ("no-json.json", b"words"),
        ("clip.MOV", ISO + b"qt  \0\0\0\0"),
        ("clip", ISO + b"isom\0\0\0\0"),
        ("song.mp3", b"ID3\4"),
        (".DS_Store", b"\0\0\0\1Bud1"),
        ("Thumbs.db", b"\xd0\xcf\x11\xe0"),
        ("._IMG_1.jpg", b"\0\5\x16\7"),
        (".hidden.jpg", JPEG),
    ],
)
def test_what_nobody_meant_as_a_picture_is_skipped(name, head):
    found = sniff(head, f"folder/{name}")
    assert found.kind == "skipped"
    assert found.reason


def test_the_photos_manifest_is_sorted_as_people_would(shared):
    photos = shared / "photos"
    with (photos / "MANIFEST.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = {row["path"]: _sniffed(photos / row["path"]) for row in rows}
    meant = {"README.md": "skipped", "MANIFEST.csv": "skipped"}
    meant |= {
        "weird/not_image/annotations.json": "failed",
        "weird/not_image/empty.jpeg": "failed",
        "weird/not_image/test_pdf_complete.pdf": "failed",
        "weird/not_image/0.npy": "failed",
        "weird/wrong_extension/pngtest_bad.png.bin": "failed",
        "weird/other_format/non_zero_bb.eps": "failed",
    }
    assert {path: _sniffed(photos / path) for path in meant} == meant
    assert [path for path, kind in kinds.items() if kind == "skipped"] == []
    assert [row["path"] for row in rows if "decode" in row["expect"] and kinds[row["path"]] != "picture"] == []


def _sniffed(path) -> str:
    with path.open("rb") as file:
        return sniff(file.read(HEAD_BYTES), path.name).kind
