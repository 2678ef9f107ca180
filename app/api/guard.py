"""The one door: every request passes here before any route of ours or of Streamlit's sees it.

Streamlit's server answers more than a photo application needs (metrics, media by hash, an upload
route without limits, an agent description, logins). What is not on the list below does not exist.
"""

import base64
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PAGES = ("/", "/instances", "/library", "/audits")
OPEN_PATHS = {*PAGES, "/favicon.png", "/metrics", "/_stcore/health", "/_stcore/host-config", "/_stcore/stream"}
OPEN_PREFIXES = ("/static/", "/api/", "/health/")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
POSTS_PER_MINUTE = 1200  # per client; a person who uploads 200 files stays far below, a loop does not

PICTURE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"  # bytes that came from outside never run
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def page_policy(index: Path | None = None) -> str:
    """The content policy of the page: scripts from this server, the page's own inline ones by their hash.

    `blob:` because Streamlit hands a component's module to the browser that way, inline styles because
    its style library writes them.
    """
    index = index or Path(streamlit.__file__).parent / "static" / "index.html"
    inline = re.findall(r"<script>(.*?)</script>", index.read_text(encoding="utf-8"), re.DOTALL)
    hashes = " ".join(f"'sha256-{_sha256_base64(script)}'" for script in inline)
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' blob: {hashes}".rstrip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' blob: data:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _sha256_base64(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@dataclass
class Allowance:
    """How many requests each client has left; refilled evenly. Forgets the clients seen longest ago."""

    per_minute: int
    clients_kept: int = 10_000
    left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)  # client -> (left, at)

    def take(self, client: str) -> bool:
        now = time.monotonic()
        left, at = self.left.pop(client, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - at) * self.per_minute / 60)
        self.left[client] = (max(left - 1, 0.0), now)
        if len(self.left) > self.clients_kept:
            self.left.popitem(last=False)
        return left >= 1


class Guard:
    """ASGI middleware: known hosts, own origin, listed paths, a rate for writes, headers on every answer."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = LOOPBACK, posts_per_minute: int = POSTS_PER_MINUTE) -> None:
        self.app = app
        self.hosts = {host.lower() for host in hosts}
        self.policy = page_policy()
        self.posts = Allowance(posts_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        refusal = self._refuse(scope)
        if refusal is None:
            return await self.app(scope, receive, self._with_headers(scope, send))
        status, reason = refusal
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008, "reason": reason})
        return await JSONResponse({"error": reason}, status)(scope, receive, self._with_headers(scope, send))

    def _refuse(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if hostname(host) not in self.hosts:
            return 403, "this server does not answer to that host name"
        if not is_open(scope["path"]):
            return 404, "no such page"
        reads = scope["type"] == "http" and scope["method"] in SAFE_METHODS
        if not reads and not self._own_origin(headers.get("origin"), host):
            return 403, "requests from other sites are refused"
        if not reads and scope["type"] == "http" and not self.posts.take(_client(scope)):
            return 429, "too many requests: wait a minute"
        return None

    def _own_origin(self, origin: str | None, host: str) -> bool:
        """No Origin is no browser, and can't ride on one; the signed ticket still has to be right."""
        return origin is None or urlsplit(origin).netloc.lower() == host.lower()

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**HEADERS, "content-security-policy": self._policy_for(scope)}.items():
                    headers.setdefault(name, value)
            await send(message)

        return send_with_headers

    def _policy_for(self, scope: Scope) -> str:
        return PICTURE_POLICY if scope["path"].startswith("/api/") else self.policy


def hostname(host: str) -> str:
    """The name in a Host header without its port; empty when it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)


def _client(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else "unknown"
