"""Files dinoseek owns: originals, thumbnails, patches and queries by content digest, snapshots.

They lie in the home, or in a store too: with one (`DINOSEEK_STORAGE_URL`) it is the place of all but the queries for
all hosts, under the names that they have in a home; the home is a cache of it.
"""

from app.storage.files import write_atomic, writing
from app.storage.home import Storage
from app.storage.store import Store, open_store

__all__ = ["Storage", "Store", "open_store", "write_atomic", "writing"]
