"""What a file is, by its first bytes and its name. Cheap: nothing is decoded."""

import re
from dataclasses import dataclass
from pathlib import PurePath

HEAD_BYTES = 4096  # what `sniff` wants to see of a file


@dataclass(frozen=True)
class Contents:
    """`kind` is `picture` (worth decoding), `failed` (meant to be a picture) or `skipped` (no picture, silently)."""

    kind: str
    what: str  # a picture's format as Pillow names it, else words: "a PDF document"
    reason: str | None = None  # a sentence, unless a picture
    code: str | None = None


# (offset, bytes, format as Pillow names it); first match wins
PICTURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WEBP"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),  # BigTIFF
    (0, b"MM\0+", "TIFF"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG2000"),  # a bare code stream
)
ISO_BRANDS = {  # what an ISO media file ("ftyp" at byte 4) says it is; other brands are audio or video
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"),
}
NETPBM = re.compile(rb"P[1-6]\s+[#\d]")

# (offset, bytes, what it is, way out): pictures all the same, and named as such
UNREAD_PICTURES = (
    (0, b"8BPS", "a Photoshop document", "export it as PNG or TIFF"),
    (0, b"gimp xcf", "a GIMP document", "export it as PNG"),
    (0, b"%!PS", "an EPS or PostScript drawing", "it needs Ghostscript, which runs programs; export it as PNG"),
    (0, b"\xc5\xd0\xd3\xc6", "an EPS drawing", "it needs Ghostscript, which runs programs; export it as PNG"),
    (0, b"\x01\xda", "an SGI picture", "save it as PNG"),
    (0, b"icns", "a macOS icon set", "save one of its sizes as PNG"),
    (0, b"\0\0\1\0", "a Windows icon", "save it as PNG"),
    (0, b"SIMPLE  =", "a FITS picture", "save it as PNG or TIFF"),
    (0, b"v/1\1", "an OpenEXR picture", "save it as PNG or TIFF"),
    (0, b"qoif", "a QOI picture", "save it as PNG"),
    (0, b"\xff\x0a", "a JPEG XL picture", "save it as JPEG or PNG"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture", "save it as JPEG or PNG"),
)
BY_NAME = "give its own path to `dinoseek ingest`, or unpack it"  # within a folder it would be copied unasked
# No pictures, but a person put them among the photos: named rather than ignored
DOCUMENTS = (
    (0, b"%PDF", "a PDF document", "export its pages as PNG or JPEG"),
    (0, b"\x93NUMPY", "a NumPy array", "save it as PNG or TIFF"),
    (0, b"\x89HDF", "an HDF5 file", "save its pictures as PNG or TIFF"),
    (0, b"PK\3\4", "a ZIP archive or office document", BY_NAME),
    (0, b"\x1f\x8b", "a gzip archive", BY_NAME),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and ingest the folder"),
    (0, b"Rar!", "a RAR archive", "unpack it and ingest the folder"),
    (0, b"BZh", "a bzip2 archive", BY_NAME),
    (0, b"\xfd7zXZ", "an xz archive", BY_NAME),
    (257, b"ustar", "a tar archive", BY_NAME),
)

# Damaged or unreadable, yet clearly meant as this; tells "damaged PNG" from "unknown data"
RUINS = (
    (0, b"PNG\r\n", "PNG"),
    (0, b"\x89PNG", "PNG"),
    (0, b"GIF8", "GIF"),
    (6, b"JFIF", "JPEG"),
    (6, b"Exif", "JPEG"),
)

PICTURE_SUFFIXES = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo"), "JPEG"),
    **dict.fromkeys((".png", ".apng"), "PNG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".bmp", ".dib"), "BMP"),
    **dict.fromkeys((".jp2", ".j2k", ".j2c", ".jpf", ".jpx", ".jpc"), "JPEG2000"),
    **dict.fromkeys((".pbm", ".pgm", ".ppm", ".pnm"), "PPM"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIF"),
    ".webp": "WEBP",
    ".gif": "GIF",
    ".avif": "AVIF",
}
# Raw files begin like a TIFF, and what Pillow finds in them is a thumbnail: here the name decides
RAW_SUFFIXES = frozenset(
    (".cr2", ".cr3", ".nef", ".nrw", ".arw", ".dng", ".orf", ".raf", ".rw2", ".pef", ".srw", ".x3f")
)
UNSUPPORTED_SUFFIXES = {
    **dict.fromkeys(RAW_SUFFIXES, "a camera raw file"),
    **dict.fromkeys((".tga", ".icb", ".vda", ".vst"), "a TGA picture"),
    **dict.fromkeys((".svg", ".svgz"), "an SVG drawing"),
    **dict.fromkeys((".eps", ".ps", ".ai"), "an EPS or PostScript drawing"),
    **dict.fromkeys((".psd", ".psb"), "a Photoshop document"),
    **dict.fromkeys((".pcx", ".dds", ".xpm", ".xbm", ".wmf", ".emf", ".hdr", ".fit", ".fits"), "a rare picture format"),
}
# fmt: off
TEXT_SUFFIXES = frozenset((
    ".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".xmp", ".html", ".htm", ".yaml", ".yml", ".ini", ".log",
    ".rtf", ".aae", ".tex",
))
MEDIA_SUFFIXES = frozenset((
    ".mov", ".mp4", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".3gp", ".wmv", ".flv",
    ".mp3", ".m4a", ".wav", ".flac", ".ogg", ".opus", ".aac", ".wma", ".aiff",
))
SIDECAR_OF = frozenset((*PICTURE_SUFFIXES, *UNSUPPORTED_SUFFIXES, *MEDIA_SUFFIXES))
OS_DROPPINGS = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"))
SIDECARS = frozenset((
    "metadata.json", "print-subscriptions.json", "shared_album_comments.json",  # of Google's exports
    "truth.json",  # of our own painted samples
))
# fmt: on


def sniff(head: bytes, name: str) -> Contents:
    """`head` is the start of the file, HEAD_BYTES where it has as many; `name` is its name or path."""
    name = PurePath(name).name.lower()
    if name.startswith(".") or name in OS_DROPPINGS:
        return _skip("a file of the operating system")
    if _is_sidecar(name):
        return _skip("what a program noted beside a picture")
    return identify(head, PurePath(name).suffix)


def identify(head: bytes, suffix: str) -> Contents:
    """By the bytes first, then by what the suffix (lower case, with its dot) says was meant."""
    found = next(filter(None, (look(head, suffix) for look in LOOKS)), None)
    return found or _refuse("unknown data", "these bytes are of no picture format we know", "not_a_picture")


def _picture(head: bytes, suffix: str) -> Contents | None:
    if suffix in RAW_SUFFIXES:
        return None
    if (found := _match(PICTURES, head)) is not None:
        return Contents("picture", found[2])
    if head[4:8] == b"ftyp" and (brand := _iso_format(head)) is not None:
        return Contents("picture", brand)
    if NETPBM.match(head) and suffix not in TEXT_SUFFIXES:
        return Contents("picture", "PPM")
    return Contents("picture", "BMP") if _is_bmp(head, suffix) else None


def _media(head: bytes, suffix: str) -> Contents | None:
    if suffix in MEDIA_SUFFIXES or (head[4:8] == b"ftyp" and suffix not in PICTURE_SUFFIXES):
        return _skip("audio or video")
    return None


def _unread_picture(head: bytes, suffix: str) -> Contents | None:
    return _named_by(UNREAD_PICTURES, head, "unsupported_format")


def _document(head: bytes, suffix: str) -> Contents | None:
    return _named_by(DOCUMENTS, head, "not_a_picture")


def _json(head: bytes, suffix: str) -> Contents | None:
    """Labels of a data set: it may say where pictures are, and a person should know that we did not look."""
    if suffix != ".json" or head.lstrip()[:1] not in (b"{", b"["):
        return None
    what = "a JSON document"
    return _refuse(what, f"{what}, which we do not read: ingest the pictures it tells of", "not_a_picture")


def _ruin(head: bytes, suffix: str) -> Contents | None:
    found = _match(RUINS, head)
    if found is None:
        return None
    what = f"a damaged {found[2]}"
    return _refuse(what, f"{what}, its first bytes are wrong: copy it again from the source", "damaged")


def _named(head: bytes, suffix: str) -> Contents | None:
    """Nothing in the bytes spoke."""
    if suffix in UNSUPPORTED_SUFFIXES:
        what = UNSUPPORTED_SUFFIXES[suffix]
        return _refuse(what, f"{what} ({suffix}), which we do not read: save it as JPEG or PNG", "unsupported_format")
    if suffix not in PICTURE_SUFFIXES:
        return None
    if not head:
        return _refuse("an empty file", "the file is empty: copy it again from the source", "empty")
    what = "text" if _is_text(head, suffix) else "other data"
    return _refuse(what, f"named {suffix}, but its bytes are {what} and no {PICTURE_SUFFIXES[suffix]}", "not_a_picture")


def _text(head: bytes, suffix: str) -> Contents | None:
    return _skip("text") if _is_text(head, suffix) else None


LOOKS = (_picture, _media, _unread_picture, _document, _json, _ruin, _named, _text)


def _skip(what: str) -> Contents:
    return Contents("skipped", what, f"{what}, no picture", "not_a_picture")


def _refuse(what: str, reason: str, code: str) -> Contents:
    return Contents("failed", what, reason, code)


def _named_by(table: tuple, head: bytes, code: str) -> Contents | None:
    found = _match(table, head)
    if found is None:
        return None
    _, _, what, way_out = found
    return _refuse(what, f"{what}, which we do not read: {way_out}", code)


def _match(table: tuple, head: bytes) -> tuple | None:
    return next((row for row in table if head.startswith(row[1], row[0])), None)


def _iso_format(head: bytes) -> str | None:
    """The main brand, then those it is compatible with; HEIF's general ones ("mif1") also head AVIF files."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {ISO_BRANDS.get(head[at : at + 4]) for at in (8, *range(16, end, 4))}
    return next((known for known in ("AVIF", "HEIF") if known in brands), None)


def _is_bmp(head: bytes, suffix: str) -> bool:
    """Two letters are no proof: the length of the header that follows must be one that exists, or the name agree."""
    header_bytes = int.from_bytes(head[14:18], "little")
    return head[:2] == b"BM" and (suffix in (".bmp", ".dib") or header_bytes in (12, 16, 40, 52, 56, 64, 108, 124))


def _is_sidecar(name: str) -> bool:
    """`IMG_1.jpg.json`, `IMG_1.jpg.supplemental-metadata.json`: named after a picture or a video, one each."""
    about = PurePath(name).suffixes[:-1]
    return name in SIDECARS or (name.endswith(".json") and any(suffix in SIDECAR_OF for suffix in about))


def _is_text(head: bytes, suffix: str) -> bool:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):  # UTF-16 with its mark
        return True
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as refusal:  # an older code page, or a letter cut where we stopped looking
        return suffix in TEXT_SUFFIXES or refusal.start > len(head) - 4
    return True
