"""How Redis and PostgreSQL are set where that can lose work: doctor looks, and whatever starts with them."""

from dataclasses import dataclass

import redis
from sqlalchemy import text

from app.resources import Resources

BROKER_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Weakness:
    found: str
    harm: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.found}: {self.harm}; {self.remedy}"


@dataclass(frozen=True)
class Rule:
    """A server's setting, and what it may be."""

    name: str
    sound: frozenset[str]
    harm: str
    remedy: str

    def broken_by(self, value: str | None) -> Weakness | None:
        if value in self.sound:
            return None
        return Weakness(f"{self.name} is {value}", self.harm, self.remedy)


REDIS_RULES = (
    Rule(
        "maxmemory-policy",
        frozenset({"noeviction"}),
        "a full Redis drops messages without a word",
        "redis-cli CONFIG SET maxmemory-policy noeviction, and in redis.conf",
    ),
    Rule(
        "appendonly",
        frozenset({"yes"}),
        "a Redis that dies forgets its messages, and work waits for the next sweep",
        "redis-cli CONFIG SET appendonly yes, and in redis.conf",
    ),
)
POSTGRES_RULES = (
    Rule("fsync", frozenset({"on"}), "a power cut can damage the database", "ALTER SYSTEM SET fsync = on"),
    Rule(
        "full_page_writes",
        frozenset({"on"}),
        "a power cut can damage the database",
        "ALTER SYSTEM SET full_page_writes = on",
    ),
    Rule(
        "synchronous_commit",
        frozenset({"on", "local", "remote_write", "remote_apply"}),
        "a power cut loses the last acknowledged uploads",
        "ALTER SYSTEM SET synchronous_commit = on",
    ),
)


def weaknesses(resources: Resources) -> list[Weakness]:
    """Of both servers; none for those that are not used. Raises ServiceUnavailable for a database that is away."""
    return [*of_broker(resources.settings.broker), *of_database(resources)]


def of_broker(url: str | None) -> list[Weakness]:
    """A broker that can't be asked has one too: Redis as a service may not tell its settings."""
    if url is None:
        return []
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=BROKER_TIMEOUT_S, decode_responses=True) as client:
            values = client.config_get(*(rule.name for rule in REDIS_RULES))
    except (redis.RedisError, ValueError) as error:
        return [
            Weakness(
                f"Redis can't be asked for its settings ({error})",
                "it may drop or forget messages",
                "start it, or correct DINOSEEK_BROKER_URL",
            )
        ]
    return _broken(REDIS_RULES, values)


def of_database(resources: Resources) -> list[Weakness]:
    if resources.catalog.engine.dialect.name != "postgresql":
        return []  # we set SQLite's ourselves, with each connection
    with resources.catalog.read() as session:
        values = {rule.name: session.scalar(text(f"SHOW {rule.name}")) for rule in POSTGRES_RULES}
    return _broken(POSTGRES_RULES, values)


def _broken(rules: tuple[Rule, ...], values: dict[str, str]) -> list[Weakness]:
    return [weakness for rule in rules if (weakness := rule.broken_by(values.get(rule.name)))]
