"""Bytes in: one picture per request, straight from the body, counted while they come."""

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api import face
from app.api.pictures import refusal
from app.errors import AppError, InvalidInput
from app.ingest import receive

TICKET = "x-dinoseek-ticket"  # a header of our own: another site's page can't send it without a preflight
BODIES_AT_ONCE = 4  # each may hold 50 MB; more wait their turn
BODY_S = 300.0  # a sender slower than this gives its turn back
NAME_LENGTH = 255

_turns = asyncio.Semaphore(BODIES_AT_ONCE)


class TooLarge(InvalidInput):
    """The body is past the limit of an upload."""


async def body_of(request: Request, limit_bytes: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be, by its header or by counting."""
    limit = f"{limit_bytes // 2**20} MB"
    if int(request.headers.get("content-length") or 0) > limit_bytes:
        raise TooLarge(f"the file is over the limit of {limit}: make it smaller, or ingest its folder")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit_bytes:
            raise TooLarge(f"the file is over the limit of {limit}: make it smaller, or ingest its folder")
    if not data:
        raise InvalidInput("the file is empty: choose another one")
    return bytes(data)


async def query(request: Request) -> Response:
    """Keep a picture to search with; its digest names it in addresses from now on."""
    return await _received(request, "queries", _prepare_query)


async def upload(request: Request) -> Response:
    """Add a picture to a collection."""
    collection = request.path_params["collection"]
    return await _received(request, f"uploads/{collection}", _add_to(collection))


async def _received(request: Request, purpose: str, handle) -> Response:
    refused = face.current().links.refuse_ticket(purpose, request.headers.get(TICKET))
    if refused:
        return JSONResponse({"error": "this page is too old: reload it"}, refused)
    try:
        async with _turns:
            async with asyncio.timeout(BODY_S):
                data = await body_of(request, face.current().resources.settings.upload_max_bytes)
            return JSONResponse(await run_in_threadpool(handle, _name(request), data))
    except TimeoutError:
        return JSONResponse({"error": f"the file took longer than {BODY_S:.0f} s to come: try a faster line"}, 408)
    except TooLarge as error:
        return JSONResponse({"error": str(error)}, 413)
    except AppError as error:
        return refusal(error)


def _name(request: Request) -> str:
    return request.query_params.get("name", "")[:NAME_LENGTH] or "unnamed"


def _prepare_query(name: str, data: bytes) -> dict:
    stored = face.current().desk.prepare_query(data)
    return {"digest": stored.digest, "height_px": stored.height_px, "width_px": stored.width_px}


def _add_to(collection: str):
    def add(name: str, data: bytes) -> dict:
        receipt = receive.upload(face.current().resources, collection, name, data)
        return {"outcome": str(receipt.outcome), "image_id": receipt.image_id, "reason": receipt.reason}

    return add


ROUTES = [
    Route("/api/queries", query, methods=["POST"]),
    Route("/api/uploads/{collection}", upload, methods=["POST"]),
]
