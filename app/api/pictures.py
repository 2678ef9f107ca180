"""Pictures by signed address. Bytes that came from outside leave re-encoded, or as a download, never to be run."""

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from app import library, whereabouts
from app.api import face
from app.errors import AppError, NotFound, ServiceUnavailable, UnreadableImage

DIGEST = re.compile(r"[0-9a-f]{64}")
# A thumbnail's address holds the digest of the picture: what lies there never changes.
FOREVER = {"cache-control": "private, max-age=31536000, immutable"}
MEDIA_TYPES = {  # by what decoding found, never by name
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
    "JPEG2000": "image/jp2",
    "MPO": "image/jpeg",
    "PPM": "image/x-portable-anymap",
    "HEIF": "image/heif",
}
STATUS_OF = {NotFound: 404, UnreadableImage: 422, ServiceUnavailable: 503}

Endpoint = Callable[[Request], Awaitable[Response]]


def refusal(error: AppError) -> JSONResponse:
    """An error a person may see: its one line, and the status that fits."""
    return JSONResponse({"error": str(error)}, STATUS_OF.get(type(error), 400))


def signed(endpoint: Endpoint) -> Endpoint:
    """Answer only to addresses this server signed and that are still good: 401 without a signature, 403 else."""

    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        query = request.query_params
        refused = face.current().links.refuse_link(request.url.path, query.get("until"), query.get("sig"))
        if refused:
            return JSONResponse({"error": "this address has expired: reload the page"}, refused)
        try:
            return await endpoint(request)
        except AppError as error:
            return refusal(error)

    return guarded


@signed
async def thumbnail(request: Request) -> Response:
    path = await run_in_threadpool(face.current().resources.storage.find_thumbnail, _digest(request))
    return _webp(path)


@signed
async def large(request: Request) -> Response:
    path = await run_in_threadpool(face.current().renditions.of_image, request.path_params["image_id"])
    return _webp(path)


@signed
async def query(request: Request) -> Response:
    path = await run_in_threadpool(face.current().renditions.of_query, _digest(request))
    return _webp(path)


@signed
async def original(request: Request) -> Response:
    resources, image_id = face.current().resources, request.path_params["image_id"]
    source = await run_in_threadpool(whereabouts.original, resources, image_id)
    facts = await run_in_threadpool(library.picture, resources, image_id)
    media_type = MEDIA_TYPES.get(facts.format or "", "application/octet-stream")
    name = facts.name or f"picture-{image_id}"
    # the name is the client's text: it is percent-encoded, and `attachment` keeps the browser from opening the file
    if isinstance(source, bytes):
        named = {"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"}
        return Response(source, media_type=media_type, headers=named)
    return FileResponse(source, media_type=media_type, filename=name)


def _digest(request: Request) -> str:
    digest = request.path_params["digest"]
    if not DIGEST.fullmatch(digest):
        raise NotFound("no picture has that address")
    return digest


def _webp(path: Path | None) -> Response:
    if path is None:
        raise NotFound("this picture has no thumbnail yet: a worker makes it")
    return FileResponse(path, media_type="image/webp", headers=FOREVER)


ROUTES = [
    Route("/api/thumbs/{digest}.webp", thumbnail),
    Route("/api/pictures/{image_id:int}.webp", large),
    Route("/api/originals/{image_id:int}", original),
    Route("/api/queries/{digest}.webp", query),
]
