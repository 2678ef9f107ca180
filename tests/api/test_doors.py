"""Every route there is: what it answers without a right to, from elsewhere, and under another name."""

import pytest
from starlette.routing import Mount, Route, WebSocketRoute

from app.api.guard import is_open
from tests.api.conftest import ADDRESS

SIGNED = {
    "/api/thumbs/{digest}.webp",
    "/api/pictures/{image_id:int}.webp",
    "/api/originals/{image_id:int}",
    "/api/queries/{digest}.webp",
    "/api/exports/{audit_id:int}.{form}",
    "/api/evidence/{collection}/{token}/{image_id:int}",
}
TICKETED = {"/api/queries", "/api/uploads/{collection}"}
HEALTH = {"/health/live", "/health/ready"}
METRICS = {"/metrics"}
PAGES = {"/_stcore/health", "/_stcore/host-config", "/_stcore/stream", "/"}  # what Streamlit's browser code needs
CLOSED = {
    "/_stcore/metrics",
    "/_stcore/upload_file/{session_id}/{file_id}",
    "/_stcore/bidi-components/{path:path}",
    "/_stcore/agent/interact",
    "/_stcore/agent/openapi.json",
    "/_stcore/agent/mcp",
    "/media/{file_id:path}",
    "/component/{path:path}",
    "/auth/login",
    "/auth/logout",
    "/oauth2callback",
}


def all_routes(app) -> list:
    app._starlette_app = app._starlette_app or app._build_starlette_app()
    return app._starlette_app.routes


def paths(app) -> set[str]:
    return {route.path or "/" for route in all_routes(app)}


def filled(path: str, house) -> str:
    values = {"{digest}": house.digest, "{image_id:int}": str(house.image_id), "{collection}": "photos"}
    values |= {"{audit_id:int}": "1", "{form}": "csv", "{token}": "i1.0.0.5000.5000"}
    for name, value in values.items():
        path = path.replace(name, value)
    return path


def test_every_route_is_known_to_this_test(house):
    assert paths(house.app) == SIGNED | TICKETED | HEALTH | METRICS | PAGES | CLOSED
    assert all(isinstance(route, Route | Mount | WebSocketRoute) for route in all_routes(house.app))


@pytest.mark.parametrize("path", sorted(CLOSED))
def test_what_streamlit_answers_beyond_need_is_not_there(house, path):
    path = path.split("{")[0] + ("x" if "{" in path else "")
    assert not is_open(path)
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        assert house.client.request(method, path).status_code == 404


@pytest.mark.parametrize("path", sorted(SIGNED))
def test_a_picture_needs_its_signature(house, path):
    path = filled(path, house)
    good = house.face.links.sign(path)
    until = good.split("until=")[1].split("&")[0]
    attempts = {
        path: 401,
        f"{path}?until={until}": 401,
        f"{path}?until={until}&sig=AAAA": 403,
        good.replace(until, str(int(until) + 1)): 403,
        good.replace(until, "1"): 403,
        house.face.links.sign("/api/thumbs/other.webp").replace("/api/thumbs/other.webp", path): 403,
    }
    for address, status in attempts.items():
        answer = house.client.get(address)
        assert answer.status_code == status, address
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", sorted(SIGNED))
def test_an_address_expires(house, path, monkeypatch):
    good = house.face.links.sign(filled(path, house))
    monkeypatch.setattr("app.api.links.time.time", lambda: 5e9)
    assert house.client.get(good).status_code == 403


@pytest.mark.parametrize("path", sorted(TICKETED))
def test_bytes_need_a_ticket_for_their_purpose(house, path):
    path = filled(path, house)
    other = house.face.links.ticket("uploads/another")
    for headers, status in [({}, 401), ({"x-dinoseek-ticket": "1.AAAA"}, 403), ({"x-dinoseek-ticket": other}, 403)]:
        assert house.client.post(path, content=b"x", headers=headers).status_code == status


@pytest.mark.parametrize("path", sorted(TICKETED | METRICS | {"/_stcore/stream", "/"}))
@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9999", "null"])
def test_requests_from_other_sites_are_refused(house, path, origin):
    answer = house.client.post(filled(path, house), content=b"x", headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", sorted(SIGNED | TICKETED | HEALTH | METRICS | PAGES))
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost:8501@evil.example"])
def test_another_host_name_gets_nothing(house, path, host):
    answer = house.client.get(filled(path, house), headers={"host": host})
    assert answer.status_code == 403
    assert answer.json() == {"error": "this server does not answer to that host name"}


def test_a_foreign_page_can_not_open_the_socket(house):
    from starlette.websockets import WebSocketDisconnect

    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        with pytest.raises(WebSocketDisconnect), house.client.websocket_connect("/_stcore/stream", headers=headers):
            pass


@pytest.mark.parametrize("path", sorted(SIGNED | HEALTH | METRICS | PAGES - {"/_stcore/stream"}))
def test_every_answer_carries_the_headers(house, path):
    answer = house.client.get(filled(path, house))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert policy.startswith("default-src 'none'; sandbox" if path.startswith("/api/") else "default-src 'self'")


def test_health_says_yes_or_no_and_nothing_else(house):
    assert house.client.get("/health/live").json() == {"live": True}
    assert house.client.get("/health/ready").json() == {"database": True, "disk": True}


def test_the_secret_is_readable_by_its_owner_alone(house):
    path = house.face.resources.settings.home / "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert house.face.resources.storage.secret().hex() not in repr(house.face.links)
    assert ADDRESS.startswith("http://127.0.0.1")
