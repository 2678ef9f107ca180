"""A worker that is told to stop ends its batch, gives back the rest, and takes its leave."""

import signal

from sqlalchemy import func, select

from app import library
from app.catalog.models import Image, Worker
from app.catalog.states import ImageStatus
from app.cli.supervisor import STOP_S
from app.ingest import scan
from app.resources import Resources, open_resources
from tests.conftest import make_settings, paint
from tests.program import SLOW, Program, wait_until
from tests.workshop import COLLECTION

PHOTOS = 60
BATCH = 4


def counts(resources: Resources) -> dict[tuple[ImageStatus, int], int]:
    """Images by status and attempts."""
    rows = select(Image.status, Image.attempts, func.count()).group_by(Image.status, Image.attempts)
    with resources.catalog.read() as session:
        return {(status, attempts): number for status, attempts, number in session.execute(rows)}


def test_a_stop_in_the_middle_of_the_work_costs_no_attempt(tmp_path, encoders):
    for number in range(PHOTOS):
        paint(tmp_path / "many" / f"{number}.jpg", number)
    with Program(tmp_path / "home", batch_images=BATCH, model=SLOW) as program:
        resources = open_resources(make_settings(program.home))
        library.create_collection(resources, COLLECTION, SLOW, encoders=encoders)
        scan.ingest(resources, [tmp_path / "many"], COLLECTION)
        worker = program.start("worker")
        wait_until(lambda: counts(resources).get((ImageStatus.READY, 1)), "the first batch")
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=2 * STOP_S)
        assert worker.returncode == 128 + signal.SIGTERM
        left = counts(resources)
        assert set(left) == {(ImageStatus.READY, 1), (ImageStatus.PENDING, 0)}
        with resources.catalog.read() as session:
            assert session.scalar(select(func.count()).select_from(Worker)) == 0
        resources.catalog.dispose()
