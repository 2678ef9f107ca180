"""Find work that no message told of: expired leases, rows still waiting. From row state alone."""

from app.catalog import backlogs, leases, workers
from app.catalog.database import Catalog
from app.catalog.states import Priority
from app.resources import Resources
from app.settings import Settings


def retire_dead(resources: Resources) -> None:
    """Let go of what workers of this host held whose process is no more; their leases need not run out first."""
    with resources.catalog.begin() as session:
        leases.end_leases(session, workers.dead_here(session))


def absolve(settings: Settings, pid: int) -> None:
    """The worker that was this process was killed from outside, as its supervisor saw: no picture's fault."""
    catalog = Catalog(settings.database)
    try:
        with catalog.begin() as session:
            owners = workers.named_here(session, pid)
            leases.absolve(session, owners)
            leases.end_leases(session, owners)
    finally:
        catalog.dispose()


def waiting_persons(resources: Resources) -> list[int]:
    """Ids of collections with pictures that someone waits for."""
    with resources.catalog.read() as session:
        return backlogs.collections_waiting(session, Priority.PERSON, resources.storage.host)


def sweep(resources: Resources, priority: Priority | None = None) -> list[int]:
    """Take back what dead workers held; ids of collections where images wait. One read where there are none."""
    with resources.catalog.read() as session:
        waiting = backlogs.collections_waiting(session, priority, resources.storage.host)
    if waiting:
        with resources.catalog.begin() as session:
            leases.expire(session, resources.settings.max_attempts)
    return waiting
