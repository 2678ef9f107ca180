"""Hits and pictures as the grid draws them: plain JSON, addresses signed."""

from collections.abc import Callable
from pathlib import Path

from app.api.face import Face
from app.ingest.receive import UPLOAD_FOLDER
from app.library import PictureFacts
from app.search.query import Hit, Page
from app.ui import words

Lead = Callable[[int], str]  # from a picture's id to the address where a click on it leads


def of_page(face: Face, page: Page, lead: Lead) -> list[dict]:
    return [_of_hit(face, hit, page, lead) for hit in page.hits]


def of_pictures(face: Face, pictures: list[PictureFacts], lead: Lead) -> list[dict]:
    return [tile(face, picture, lead) for picture in pictures]


def _of_hit(face: Face, hit: Hit, page: Page, lead: Lead) -> dict:
    number = f"{hit.score:.3f}"
    scored = {
        "number": number,
        "word": words.score_word(hit.score, page.model, page.trained),
        "share": words.score_share(hit.score),
    }
    card = tile(face, hit, lead) | scored
    return card | {"details": [("Likeness", words.joined(scored["word"], number)), *card["details"]]}


def tile(face: Face, picture: Hit | PictureFacts, lead: Lead) -> dict:
    dimensions = words.dimensions(picture.width_px, picture.height_px)
    size = words.size(picture.size_bytes)
    name = picture.name
    return {
        "id": picture.image_id,
        "name": name,
        "width": picture.width_px or 0,
        "height": picture.height_px or 0,
        "thumb": face.thumbnail(picture.digest),
        "picture": face.large(picture.image_id),
        "original": face.original(picture.image_id),
        "href": lead(picture.image_id),
        "facts": words.joined(words.day(picture.taken_at), dimensions, size),
        "details": _details(face, picture, name, dimensions, size),
    }


def _details(face: Face, picture: Hit | PictureFacts, name: str, dimensions: str, size: str) -> list[tuple[str, str]]:
    folder = "uploaded" if is_upload(face, picture.path) else str(Path(picture.path).parent)
    pairs = [
        ("Name", name),
        ("Taken", words.moment(picture.taken_at)),
        ("Size", dimensions and f"{dimensions} px"),
        ("File", words.joined(size, picture.format or "")),
        ("Folder", folder),
    ]
    return [(term, text) for term, text in pairs if text]


def is_upload(face: Face, path: str) -> bool:
    return Path(path).is_relative_to(face.resources.settings.home / UPLOAD_FOLDER)
