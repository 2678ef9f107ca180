"""What tests see of workers from outside: who holds pictures, and what is searchable in the end."""

from sqlalchemy import func, select

from app.catalog.models import Embedding, Image, Worker
from app.catalog.states import ImageStatus
from app.resources import Resources


def worker_at_work(resources: Resources, dead: set[int]) -> int | None:
    """The process number of a worker that holds pictures and was not killed yet."""
    with resources.catalog.read() as session:
        holds = select(Image.owner).where(Image.status == ImageStatus.WORKING)
        pid = session.scalar(select(Worker.pid).where(Worker.name.in_(holds)))
    return pid if pid not in dead else None


def assert_each_searchable_once(resources: Resources, count: int) -> None:
    with resources.catalog.read() as session:
        rows = session.execute(select(Image.status, func.count()).group_by(Image.status))
        statuses = {status: number for status, number in rows}  # noqa: C416  (dict() takes a Result for a mapping)
        embedded = session.scalar(select(func.count()).select_from(Embedding))
        images = session.scalar(select(func.count(func.distinct(Embedding.image_id))))
    assert statuses == {ImageStatus.READY: count}
    assert (embedded, images) == (count, count)
