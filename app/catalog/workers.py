"""Workers' signs of life."""

import os
import socket
from collections.abc import Sequence

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.orm import Session

from app.catalog.clock import db_now
from app.catalog.models import Image, Worker
from app.catalog.states import ImageStatus

ALIVE_S = 15.0  # a worker not heard of for this long counts as gone; it beats three times as often
BEAT_S = 5.0


def announce(session: Session, name: str, device: str, model: str | None = None) -> None:
    session.execute(delete(Worker).where(Worker.name == name))
    session.add(Worker(name=name, host=socket.gethostname(), pid=os.getpid(), device=device, model=model))


def beat(session: Session, name: str, **facts) -> None:
    session.execute(update(Worker).where(Worker.name == name).values(heartbeat_at=db_now(), **facts))


def alive(session: Session) -> Sequence[Row]:
    """(worker, age_s, up_s, claim_age_s, batch_age_s, holding) of those heard of lately; `holding`: images claimed."""
    now = db_now()
    age = now - Worker.heartbeat_at
    held = select(func.count()).where(Image.owner == Worker.name, Image.status == ImageStatus.WORKING)
    columns = (
        age.label("age_s"),
        (now - Worker.started_at).label("up_s"),
        (now - Worker.claimed_at).label("claim_age_s"),
        (now - Worker.batch_at).label("batch_age_s"),
        held.scalar_subquery().label("holding"),
    )
    return session.execute(select(Worker, *columns).where(age < ALIVE_S).order_by(Worker.name)).all()


def named_here(session: Session, pid: int) -> list[str]:
    """The worker of this host with this process number, if it announced itself."""
    return list(session.scalars(select(Worker.name).where(Worker.host == socket.gethostname(), Worker.pid == pid)))


def dead_here(session: Session) -> list[str]:
    """Names of workers of this host whose process is no more, or whose number is now ours."""
    rows = session.scalars(select(Worker).where(Worker.host == socket.gethostname()))
    return [row.name for row in rows if row.pid == os.getpid() or not runs(row.pid)]


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
