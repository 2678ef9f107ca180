"""A home whose collection has been audited: three pictures with copies of several kinds, and one without."""

import os
from pathlib import Path

import PIL.Image

from app.audits import runs
from app.ingest.workshop import Workshop
from app.search.refresh import Readers
from tests.audits.album import cropped, decoded, picture, shrunk, write
from tests.workshop import COLLECTION, fill


def album(folder: Path) -> Path:
    """Paths below `folder`: boat (and its bytes again, smaller, a part), gate (as PNG), roof (mirrored), alone."""
    boat, gate, roof = (picture(number, (640, 480)) for number in (1, 2, 3))
    first = write(folder / "2024" / "boat.jpg", boat)
    again = folder / "backup" / "boat.jpg"
    again.parent.mkdir(parents=True)
    again.write_bytes(first.read_bytes())
    write(folder / "mails" / "boat small.jpg", shrunk(boat), quality=70)
    write(folder / "mails" / "boat part.jpg", cropped(boat, 0.85))
    write(folder / "2024" / "container.png", decoded(write(folder / "2024" / "gate.jpg", gate)))
    write(folder / "2025" / "roof.jpg", roof)
    write(folder / "2025" / "roof mirrored.jpg", roof.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT))
    write(folder / "2025" / "alone.jpg", picture(9, (640, 480)))
    return folder


def audited(shop: Workshop, folder: Path) -> int:
    """The id of the audit of all that is below."""
    fill(shop, album(folder))
    audit_id = runs.open_audit(shop.resources, COLLECTION)
    assert runs.run_now(shop.resources, audit_id, shop.decoder, Readers(shop.resources))
    return audit_id


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, by its path there; what lies in a quarantine folder is left out."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        os.fspath(path.relative_to(folder)): path.read_bytes()
        for path in found
        if ".dinoseek-quarantine" not in path.parts
    }
