"""Where an example and a hit agree, by signed address: worked out when somebody looks, and not for every hit."""

from dataclasses import astuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api import face
from app.api.pictures import signed
from app.api.tokens import read_token


@signed
async def evidence(request: Request) -> Response:
    """`lines` as [x0, y0, x1, y1, agrees, weight]; see `app.search.evidence`."""
    asked = request.path_params
    example = read_token(asked["token"])
    seen = await run_in_threadpool(face.current().instances.evidence, asked["collection"], example, asked["image_id"])
    lines = [astuple(line) for line in seen.lines]
    return JSONResponse({"lines": lines, "outline": seen.outline, "supported": seen.supported})


ROUTES = [Route("/api/evidence/{collection}/{token}/{image_id:int}", evidence)]
