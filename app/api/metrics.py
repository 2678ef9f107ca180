"""`/metrics` for Prometheus: open like the health of the process, behind the same door, without any name."""

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api import face
from app.errors import AppError


async def metrics(request: Request) -> Response:
    try:
        text = await run_in_threadpool(face.current().meters.text)
    except AppError as refusal:
        return Response(f"{refusal}\n", 503, media_type="text/plain")
    return Response(text, headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"})


ROUTES = [Route("/metrics", metrics)]
