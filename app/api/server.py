"""The web server: Streamlit's pages and our routes behind one guard, in one process, on one port."""

import contextlib
import errno
import logging
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.types import ASGIApp
from streamlit.web import bootstrap

from app.api import evidence, exports, face, health, metrics, pictures, uploads
from app.api.guard import LOOPBACK, Guard
from app.errors import ServiceUnavailable
from app.resources import Resources
from app.ui.failures import show_error

MAIN_SCRIPT = Path(__file__).parents[1] / "ui" / "main.py"
ANY_ADDRESS = ("0.0.0.0", "::", "")
ROUTES = [
    *pictures.ROUTES,
    *evidence.ROUTES,
    *exports.ROUTES,
    *uploads.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
]
GRACE_S = 2  # open connections get this long when the server stops

# Not for a config file in some working directory to change: what would open a door or phone home.
PINNED = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "global.developmentMode": False,
    "runner.magicEnabled": False,
    "server.enableAgentApi": False,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": 1,  # files go through our own route, which counts and never spools into a session
}


def build_app(
    resources: Resources, hosts: Iterable[str] = LOOPBACK, on_ready: Callable[[], None] | None = None
) -> ASGIApp:
    """The ASGI application: pages at /, pictures and uploads under /api, /health, /metrics."""
    face.install(resources)
    app = st.App(
        MAIN_SCRIPT,
        routes=ROUTES,
        middleware=[Middleware(Guard, hosts=tuple(hosts))],
        lifespan=_lifespan(on_ready),
        on_script_error=show_error,
    )
    # after App, which tells Streamlit where our theme lies
    bootstrap.load_config_options({**PINNED, "server.allowedHosts": list(hosts)})
    return app


def serve(
    resources: Resources, host: str | None = None, port: int | None = None, on_ready: Callable[[], None] | None = None
) -> None:
    """Serve until stopped. Raises ServiceUnavailable when the port or the address can't be had."""
    host, port = host or resources.settings.host, resources.settings.port if port is None else port
    listening = listen(host, port)
    app = build_app(resources, hosts=hosts_for(host, resources.settings.allowed_hosts), on_ready=on_ready)
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level=logging.WARNING,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        ws="websockets-sansio",
        ws_max_size=2**20,  # the browser sends clicks and small state; files go by route
    )
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to this address, taken before anything slow starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        raise ServiceUnavailable(_why(host, port, error)) from None
    return listening


def hosts_for(host: str, further: Iterable[str] = ()) -> tuple[str, ...]:
    """Host names the server answers to: its own, and those it was told. Any other in a request is a rebound domain."""
    own = () if host in (*ANY_ADDRESS, *LOOPBACK) else (host,)
    return (*LOOPBACK, *own, *further)


def _why(host: str, port: int, error: Exception) -> str:
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: stop what runs there, or choose another with --port"
    why = getattr(error, "strerror", None) or error
    return f"{host}:{port} can't be served on ({why}): choose another --port, or another DINOSEEK_HOST"


def _lifespan(on_ready: Callable[[], None] | None):
    @contextlib.asynccontextmanager
    async def lifespan(_app):
        face.warm_up()
        if on_ready:
            on_ready()
        yield
        face.close()

    return lifespan
