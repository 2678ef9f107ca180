"""Vectors that protocols have asked for, in one file of the home: what was embedded once is not embedded again.

Derived: the file may be deleted at any time. It is SQLite's own, apart from the catalogue: nothing of it is a person's.
A batch is committed as soon as it is embedded, so a run that is killed goes on from there.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from app.errors import ServiceUnavailable
from app.vision.decode_child import read_regular_file
from app.vision.models import ModelKey

FILE_NAME = "protocol-vectors.db"
PATIENCE_S = 60  # for another run that writes at this moment
FIND = "SELECT vector FROM vectors WHERE maker_id = ? AND digest = ? AND box = ?"
SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, digest BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS makers (id INTEGER PRIMARY KEY, words TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS vectors (
    maker_id INTEGER NOT NULL, digest BLOB NOT NULL, box TEXT NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (maker_id, digest, box)
);
"""


@dataclass(frozen=True)
class Part:
    """What one vector is of: the bytes of a file, and a box in pixels; none: all of it."""

    digest: bytes
    box: tuple[float, float, float, float] | None = None

    @property
    def words(self) -> str:
        return json.dumps(self.box) if self.box else ""


class KeptVectors:
    """By model, weights, precision, preprocessing and side, the bytes of the file, and the box."""

    def __init__(self, home: Path, max_file_bytes: int) -> None:
        """No file that is larger is read. Raises ServiceUnavailable, as every method does, where ours can't be used."""
        self._path, self._max_file_bytes = home / FILE_NAME, max_file_bytes
        with self._trouble():
            home.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(self._path, timeout=PATIENCE_S)
            self._file.executescript(SCHEMA)

    def digest(self, path: Path) -> bytes:
        """SHA-256 of the file; it is read anew only when its size or time has changed. Raises UnreadableImage."""
        stamp = _stamp(path)
        with self._trouble():
            row = self._file.execute("SELECT size_bytes, mtime_ns, digest FROM files WHERE path = ?", [str(path)])
            known = row.fetchone()
        if known and stamp == known[:2]:
            return known[2]
        digest = hashlib.sha256(read_regular_file(str(path), self._max_file_bytes)).digest()
        if stamp == _stamp(path):  # else another file came in its place meanwhile
            self._write("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", [(str(path), *stamp, digest)])
        return digest

    def maker(self, key: ModelKey, preprocessing: str) -> int:
        """The number under which vectors that compare with each other are kept."""
        words = json.dumps(asdict(key) | {"preprocessing": preprocessing}, sort_keys=True)
        self._write("INSERT OR IGNORE INTO makers (words) VALUES (?)", [(words,)])
        self.save()
        with self._trouble():
            return self._file.execute("SELECT id FROM makers WHERE words = ?", [words]).fetchone()[0]

    def holds(self, maker_id: int, part: Part) -> bool:
        with self._trouble():
            return self._find(maker_id, part) is not None

    def vectors(self, maker_id: int, parts: Sequence[Part | None], dim: int) -> np.ndarray:
        """Float32 (parts, dim), in the order given; NaN where there is none."""
        rows = np.full((len(parts), dim), np.nan, np.float32)
        with self._trouble():
            for number, part in enumerate(parts):
                if part is not None and (found := self._find(maker_id, part)):
                    rows[number] = np.frombuffer(found[0], "<f4")
        return rows

    def add(self, rows: Iterable[tuple[int, Part, np.ndarray]]) -> None:
        """Vectors, each with its maker and what it is of; on disk when this returns."""
        values = [(maker, part.digest, part.words, vector.astype("<f4").tobytes()) for maker, part, vector in rows]
        self._write("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", values)
        self.save()

    def save(self) -> None:
        with self._trouble():
            self._file.commit()

    def __enter__(self) -> "KeptVectors":
        return self

    def __exit__(self, *exc_info: object) -> None:
        """What was found out of files is kept even when the run is refused."""
        self.save()
        self._file.close()

    def _find(self, maker_id: int, part: Part) -> tuple[bytes] | None:
        return self._file.execute(FIND, (maker_id, part.digest, part.words)).fetchone()

    def _write(self, statement: str, rows: Sequence[tuple]) -> None:
        with self._trouble():
            self._file.executemany(statement, rows)

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as trouble:
            raise ServiceUnavailable(
                f"{self._path} can't be used ({trouble}): free space there, or delete it, it is made again"
            ) from None


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time; of a file that is not there none that any has."""
    try:
        facts = path.lstat()
    except OSError:
        return -1, -1
    return facts.st_size, facts.st_mtime_ns
