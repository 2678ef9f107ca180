"""One process at a time works on an audit: a lease that a thread renews while it lives."""

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.catalog import audits
from app.catalog.audits import Tenure
from app.errors import AlreadyExists, AppError
from app.resources import Resources

log = logging.getLogger(__name__)

LEASE_S = 30.0
BEAT_S = 5.0


class AuditLost(AppError):
    """Another process took the audit over: what this one still does is not written."""


class AuditPaused(AppError):
    """Other work goes first; the audit goes on later, after its last finished block."""


@dataclass(frozen=True)
class Hold:
    """An audit that is ours, as long as its fence is the highest."""

    resources: Resources
    tenure: Tenure
    should_stop: Callable[[], bool]

    @property
    def audit_id(self) -> int:
        return self.tenure.audit_id

    def go_on(self) -> None:
        """Asked between blocks. Raises AuditPaused."""
        if self.should_stop():
            raise AuditPaused(f"audit {self.audit_id} makes room for other work: it goes on by itself")

    def write(self, session, **values) -> None:
        """Raises AuditLost where the audit is another's now, and nothing of the transaction stays."""
        if not audits.write(session, self.tenure, **values):
            raise AuditLost(f"audit {self.audit_id} was taken over by another process: it goes on there")


@contextlib.contextmanager
def held(resources: Resources, audit_id: int, should_stop: Callable[[], bool]) -> Iterator[Hold]:
    """Raises AlreadyExists while another process is at it."""
    with resources.catalog.begin() as session:
        tenure = audits.claim(session, audit_id, audits.owner_here(secrets.token_hex(3)), LEASE_S)
    if tenure is None:
        raise AlreadyExists(f"audit {audit_id} is being run by another process: `dinoseek audit show {audit_id}`")
    hold, over = Hold(resources, tenure, should_stop), threading.Event()
    beat = threading.Thread(target=_beat, args=(hold, over), name="audit-lease", daemon=True)
    beat.start()
    try:
        yield hold
    finally:
        over.set()
        beat.join()


def _beat(hold: Hold, over: threading.Event) -> None:
    while not over.wait(BEAT_S):
        try:
            with hold.resources.catalog.begin() as session:
                audits.renew(session, hold.tenure, LEASE_S)
        except Exception as error:  # noqa: BLE001  (a lease outlives a few missed beats)
            log.warning("the lease of audit %d was not renewed: %s", hold.audit_id, error)
