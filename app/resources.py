"""What every journey needs, opened once per process: settings, the catalogue, the files."""

from dataclasses import dataclass

from app.catalog.database import Catalog
from app.catalog.schema import migrate
from app.settings import Settings, get_settings
from app.storage import Storage, open_store


@dataclass(frozen=True)
class Resources:
    settings: Settings
    catalog: Catalog
    storage: Storage


def open_resources(settings: Settings | None = None) -> Resources:
    """Make the home, bring the database up to date. Raises ServiceUnavailable; InvalidInput for the store's address."""
    settings = settings or get_settings()
    storage = Storage(settings.home, open_store(settings.store))
    storage.prepare()
    migrate(settings.database)
    return Resources(settings, Catalog(settings.database), storage)
