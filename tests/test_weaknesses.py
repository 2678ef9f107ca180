"""Servers that could lose work are named, with the harm and the way out; an open broker elsewhere is refused."""

import pytest
import redis

from app.errors import InvalidInput
from app.resources import open_resources
from app.settings import get_settings
from app.weaknesses import of_broker, weaknesses
from tests import servers
from tests.conftest import make_settings
from tests.program import Program


def test_a_redis_that_evicts_and_forgets_is_named_by_worker_page_and_doctor(tmp_path, postgres_url):
    with servers.redis(tmp_path) as broker:
        assert of_broker(broker) == []
        redis.Redis.from_url(broker).config_set("maxmemory-policy", "allkeys-lru", "appendonly", "no")
        found = [weakness.found for weakness in of_broker(broker)]
        assert found == ["maxmemory-policy is allkeys-lru", "appendonly is no"]
        with Program(tmp_path / "home", broker_url=broker, database_url=postgres_url) as program:
            checks = {check["part"]: check for check in program.json("doctor")["checks"]}
            assert checks["broker"]["state"] == "warning"
            assert "allkeys-lru" in checks["broker"]["finding"]
            assert "CONFIG SET appendonly yes" in checks["broker"]["remedy"]
            worker = program.start("worker")
            assert "allkeys-lru" in worker.stderr.readline()


def test_a_postgresql_that_does_not_wait_for_the_disk_is_named(tmp_path, postgres_url):
    resources = open_resources(make_settings(tmp_path / "home", database_url=postgres_url))
    assert [weakness.found for weakness in weaknesses(resources)] == ["fsync is off"]  # as our test servers run
    resources.catalog.dispose()


def test_sqlite_alone_has_none(resources):
    assert weaknesses(resources) == []


def test_a_broker_that_is_away_is_said_to_be(tmp_path):
    (weakness,) = of_broker(f"redis://127.0.0.1:{servers.free_port()}/0")
    assert "can't be asked" in weakness.found


OPEN = ["redis://10.0.0.5:6379/0", "redis://queue.example:6379/0", "rediss://user@queue.example/0"]
LOCKED = ["redis://:secret@10.0.0.5:6379/0", "redis://127.0.0.1:6379/0", "redis://[::1]:6379/0", "redis://localhost/0"]


@pytest.mark.parametrize("url", OPEN)
def test_a_broker_elsewhere_must_ask_for_a_password(monkeypatch, url):
    monkeypatch.setenv("DINOSEEK_BROKER_URL", url)
    get_settings.cache_clear()
    with pytest.raises(InvalidInput, match="must ask for a password: set requirepass there"):
        get_settings()
    get_settings.cache_clear()


@pytest.mark.parametrize("url", LOCKED)
def test_a_broker_here_or_with_a_password_will_do(tmp_path, url):
    assert make_settings(tmp_path, broker_url=url).broker == url
