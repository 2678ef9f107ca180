"""Where an example and a hit agree, by signed address: worked out when somebody looks, and not for every hit."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.api import face
from app.api.pictures import signed
from app.api.tokens import read_token


@signed
async def evidence(request: Request) -> Response:
    asked = request.path_params
    example = read_token(asked["token"])
    seen = await run_in_threadpool(face.current().instances.evidence, asked["collection"], example, asked["image_id"])
    return JSONResponse({"lines": seen.lines, "outline": seen.outline, "supported": seen.supported})


ROUTES = [Route("/api/evidence/{collection}/{token}/{image_id:int}", evidence)]
