"""An audit as a file, by signed address: written beside first, so that what is sent is whole."""

import tempfile
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from app.api import face
from app.api.pictures import signed
from app.audits import runs
from app.audits.showing import export

MEDIA_TYPES = {".html": "text/html", ".csv": "text/csv", ".json": "application/json"}


@signed
async def audit(request: Request) -> Response:
    audit_id, suffix = request.path_params["audit_id"], f".{request.path_params['form']}"
    folder = tempfile.TemporaryDirectory(prefix="dinoseek-export-")
    try:
        path = await run_in_threadpool(_write, audit_id, Path(folder.name), suffix)
    except BaseException:
        folder.cleanup()
        raise
    # `attachment` keeps the browser from opening what holds other people's file names
    return FileResponse(
        path, media_type=MEDIA_TYPES.get(suffix), filename=path.name, background=BackgroundTask(folder.cleanup)
    )


def _write(audit_id: int, folder: Path, suffix: str) -> Path:
    """Raises NotFound, InvalidInput for a form nobody knows."""
    resources = face.current().resources
    path = folder / f"audit {audit_id} {runs.facts(resources, audit_id).collection}{suffix}"
    export.write(resources, audit_id, path)
    return path


ROUTES = [Route("/api/exports/{audit_id:int}.{form}", audit)]
