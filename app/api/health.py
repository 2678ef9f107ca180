"""Is the process there, and can it work: for a supervisor, without any figure that tells about the pictures."""

import shutil

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api import face
from app.errors import AppError

DISK_FREE_BYTES = 200 * 2**20  # less than this and the next upload or snapshot may not fit


async def live(request: Request) -> Response:
    return JSONResponse({"live": True})


async def ready(request: Request) -> Response:
    checks = await run_in_threadpool(_checks)
    return JSONResponse(checks, 200 if all(checks.values()) else 503)


def _checks() -> dict[str, bool]:
    resources = face.current().resources
    return {
        "database": _writable(resources),
        "disk": shutil.disk_usage(resources.settings.home).free > DISK_FREE_BYTES,
    }


def _writable(resources) -> bool:
    """A write transaction can begin; nothing is written in it."""
    try:
        with resources.catalog.begin() as session:
            session.connection()
    except (AppError, SQLAlchemyError):
        return False
    return True


ROUTES = [Route("/health/live", live), Route("/health/ready", ready)]
