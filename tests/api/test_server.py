"""The server before it serves: the port, the names it answers to, what no config file can undo."""

import socket

import pytest
from streamlit import config

from app.api import face
from app.api.server import PINNED, hosts_for, listen, serve
from app.errors import ServiceUnavailable
from app.resources import open_resources
from tests.conftest import make_settings


def test_a_taken_port_is_one_line_that_names_it(resources):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceUnavailable, match=rf"^port {port} on 127\.0\.0\.1 is taken: .*--port$"):
            serve(resources, "127.0.0.1", port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(ServiceUnavailable, match=r"192\.0\.2\.1:0 can't be served on"):
        listen("192.0.2.1", 0)


def test_a_port_that_is_none_is_refused():
    with pytest.raises(ServiceUnavailable, match="70000"):
        listen("127.0.0.1", 70000)


def test_the_server_answers_to_its_own_names_alone():
    assert hosts_for("127.0.0.1") == hosts_for("0.0.0.0") == ("localhost", "127.0.0.1", "::1")
    assert hosts_for("10.0.0.7", ["photos.lan"])[-2:] == ("10.0.0.7", "photos.lan")


def test_the_pinned_settings_hold(house):
    assert {name: config.get_option(name) for name in PINNED} == PINNED


def test_the_theme_is_found_from_any_working_folder(house):
    assert config.get_option("theme.light.primaryColor") == "#0f766e"


def test_a_face_that_is_closed_leaves_the_one_before_it(house, tmp_path):
    resources = open_resources(make_settings(tmp_path / "home"))
    assert face.install(resources) is face.current()
    face.close()
    assert face.current() is house.face
    resources.catalog.dispose()
