"""An ingest as a process begins it: only what it needs is loaded, and a home is opened that was made before."""

from pathlib import Path

from app.ingest import scan
from app.ingest.report import ScanReport
from app.resources import open_resources
from app.settings import Settings


def ingest(settings: Settings, collection: str, *paths: Path) -> ScanReport:
    resources = open_resources(settings)
    report = scan.ingest(resources, paths, collection)
    resources.catalog.dispose()
    return report
