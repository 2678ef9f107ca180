"""Files looked at, moved aside and brought back in the background: a page may be left while it goes on."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from app.audits.acting import quarantine, restoring
from app.audits.acting.quarantine import Outcome, Plan
from app.audits.acting.restoring import Restored
from app.audits.showing.pages import Marked
from app.errors import AppError
from app.resources import Resources

log = logging.getLogger(__name__)

Kind = Literal["look", "move", "restore"]
Answer = Plan | Outcome | Restored
Work = Callable[[Callable[[int, int], None]], Answer]
DOING = {"look": "Reading the files again", "move": "Moving into quarantine", "restore": "Bringing back"}


@dataclass
class Moving:
    """One such act: files done and all, then its answer or what stopped it."""

    kind: Kind
    of: Marked | None = None  # what was marked when it began
    link: bool = False  # a hard link takes each file's place
    done: int = 0
    total: int = 0
    answer: Answer | None = None
    refusal: str | None = None

    @property
    def going(self) -> bool:
        return self.answer is None and self.refusal is None

    @property
    def doing(self) -> str:
        return f"{DOING[self.kind]}: {self.done:,} of {self.total:,}" if self.total else DOING[self.kind]


_latest: dict[int, Moving] = {}  # by audit
_lock = threading.Lock()


def latest(audit_id: int) -> Moving | None:
    return _latest.get(audit_id)


def look(resources: Resources, audit_id: int, marked: Marked, link: bool) -> None:
    """The dry run: what moving would do to each marked file."""
    work = partial(quarantine.plan, resources, audit_id, link=link)
    _start(audit_id, Moving("look", marked, link), lambda tell: work(on_progress=tell))


def move(resources: Resources, audit_id: int, plan: Plan, link: bool) -> None:
    """What the plan says, and nothing where that would be something else by now."""
    work = partial(quarantine.quarantine, resources, audit_id, link=link, shown=plan)
    _start(audit_id, Moving("move", link=link), lambda tell: work(on_progress=tell))


def restore(resources: Resources, audit_id: int, batch_id: int) -> None:
    _start(audit_id, Moving("restore"), lambda tell: restoring.restore(resources, batch_id=batch_id, on_progress=tell))


def _start(audit_id: int, moving: Moving, work: Work) -> None:
    """A second one while one is going is not begun."""
    with _lock:
        if audit_id in _latest and _latest[audit_id].going:
            return
        _latest[audit_id] = moving
    threading.Thread(target=_run, args=(moving, work), name=f"{moving.kind} {audit_id}", daemon=True).start()


def _run(moving: Moving, work: Work) -> None:
    def tell(done: int, total: int) -> None:
        moving.done, moving.total = done, total

    try:
        moving.answer = work(tell)
    except AppError as refusal:
        moving.refusal = str(refusal)
    except Exception:
        log.exception("%s broke off", DOING[moving.kind])
        moving.refusal = "it broke off, and no file is lost: the server's log says why; ask again to go on"
