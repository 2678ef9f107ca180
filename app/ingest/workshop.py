"""What one worker process has at hand, and what it holds."""

import contextlib
from dataclasses import dataclass, field

from app.bases import Bases
from app.catalog import leases
from app.catalog.states import Priority
from app.encoders import Encoders
from app.errors import AppError
from app.ingest.absence import Absences
from app.ingest.originals import Originals
from app.ingest.stages import Pace
from app.resources import Resources
from app.vision.decoder import Decoder

BLAMELESS = (AppError, OSError)  # the database, the disk, the weights failed, and no picture


@dataclass
class Workshop:
    """A worker's tools, and its name on what it has claimed."""

    resources: Resources
    encoders: Encoders
    decoder: Decoder
    name: str  # owner of the claims
    priority: Priority | None = None  # of the images it takes; none: of all
    at_work: bool = False  # else it holds nothing, and its leases are not renewed
    owes: bool = False  # but for what it could not give back while the database was away
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self.bases = Bases(self.resources.catalog)
        self.originals = Originals(self.resources)
        self.absences = Absences(self.resources)

    def let_go(self, trouble: BaseException) -> None:
        """Nothing stays in the hands of a worker that lives and works on something else."""
        blameless = isinstance(trouble, BLAMELESS) or not isinstance(trouble, Exception)
        self.owes = True
        with contextlib.suppress(AppError), self.resources.catalog.begin() as session:
            (leases.give_back if blameless else leases.let_go)(session, self.name)
            self.owes = False

    def give_back_owed(self) -> None:
        """What a failed task left in our hands because the database failed too."""
        if self.owes:
            with self.resources.catalog.begin() as session:
                leases.give_back(session, self.name)
            self.owes = False
