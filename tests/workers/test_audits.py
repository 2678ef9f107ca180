"""Audits by workers: asked for on the queue, gone on with when the worker is killed, and never in a picture's way."""

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app import library
from app.audits import runs
from app.audits.showing import answers
from app.catalog.audit_models import Audit, Pair
from app.catalog.states import AuditStage, AuditStatus
from app.ingest import receive
from app.ingest.workshop import Workshop
from app.resources import Resources, open_resources
from tests import servers
from tests.audits.album import family
from tests.conftest import make_settings, paint
from tests.program import Program, wait_until
from tests.workshop import COLLECTION, fill

FAMILIES, COPIES = 10, 6


@pytest.fixture(params=["embedded", pytest.param("redis", marks=pytest.mark.soak)])
def site(request, tmp_path, encoders, decoder) -> Iterator[tuple[Program, Resources]]:
    """A home with an album of copies, a worker on it, and no audit yet."""
    knobs: dict[str, object] = {}
    with contextlib.ExitStack() as stack:
        if request.param == "redis":
            knobs["broker_url"] = stack.enter_context(servers.redis(tmp_path))
            knobs["database_url"] = request.getfixturevalue("postgres_url")
        program = stack.enter_context(Program(tmp_path / "home", **knobs))
        for number in range(FAMILIES):
            family(tmp_path / "album", number)
        resources = open_resources(make_settings(tmp_path / "home", **knobs))
        fill(Workshop(resources, encoders, decoder, "test"), tmp_path / "album")
        program.start_logged(tmp_path / "worker.log", "worker")
        yield program, resources
        resources.catalog.dispose()


def worker_checking(resources: Resources, audit_id: int, dead: set[int]) -> int | None:
    """The process number of who checks pairs of this audit, once it has noted some."""
    with resources.catalog.read() as session:
        audit = session.get(Audit, audit_id)
    if audit.stage is not AuditStage.VERIFY or audit.owner is None or not audit.done:
        return None
    pid = int(audit.owner.split(":")[1])
    return None if pid in dead else pid


def noted(resources: Resources) -> dict[tuple[int, int], tuple]:
    with resources.catalog.read() as session:
        columns = select(Pair.first_id, Pair.second_id, Pair.tier, Pair.score).where(Pair.tier.is_not(None))
        return {(first, second): (tier, score) for first, second, tier, score in session.execute(columns)}


def is_done(resources: Resources, audit_id: int) -> bool:
    facts = runs.facts(resources, audit_id)
    assert facts.status is not AuditStatus.FAILED, facts.reason
    return facts.status is AuditStatus.DONE


def assert_each_family_is_a_group(resources: Resources, audit_id: int) -> None:
    groups = answers.document(resources, audit_id)["groups"]
    assert sorted(len(group["members"]) for group in groups) == [COPIES] * FAMILIES
    for group in groups:
        numbers = {member["path"].rsplit("/", 2)[1:][0] for member in group["members"]} - {"backup"}
        assert len(numbers) == 1


@pytest.mark.parametrize("kills", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_another_worker_goes_on_where_a_killed_one_was(site, kills):
    _, resources = site
    audit_id = runs.open_audit(resources, COLLECTION)
    runs.ask_for(resources, audit_id)
    dead: set[int] = set()
    before: dict[tuple[int, int], tuple] = {}
    for _ in range(kills):
        pid = wait_until(lambda: worker_checking(resources, audit_id, dead), "a worker checking pairs")
        os.kill(pid, signal.SIGKILL)
        dead.add(pid)
        now = noted(resources)
        assert now
        assert before.items() <= now.items()
        before = now
    wait_until(lambda: is_done(resources, audit_id), "the end of the audit")
    assert before.items() <= noted(resources).items()  # what was looked at stays as it was seen
    assert_each_family_is_a_group(resources, audit_id)


@pytest.mark.soak
def test_a_picture_that_comes_meanwhile_goes_first_and_the_audit_ends_with_it(site, tmp_path):
    _, resources = site
    audit_id = runs.open_audit(resources, COLLECTION)
    runs.ask_for(resources, audit_id)
    wait_until(lambda: worker_checking(resources, audit_id, set()), "a worker checking pairs")
    late = paint(tmp_path / "late.jpg", 777)
    receive.upload(resources, COLLECTION, late.name, late.read_bytes())
    wait_until(lambda: any(one.name == "late.jpg" for one in library.pictures(resources, COLLECTION, 0, 200)), "it")
    assert not is_done(resources, audit_id)
    wait_until(lambda: is_done(resources, audit_id), "the end of the audit")
    assert_each_family_is_a_group(resources, audit_id)
