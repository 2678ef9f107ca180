"""The live index's verbs on a Milvus cluster, or on Milvus Lite in a file: for what one machine can not hold.

    milvus://HOST:19530          a server; milvus://USER:PASSWORD@HOST:19530 where it asks
    milvus:///FOLDER/FILE.db     Milvus Lite

Rows are hidden by a field and not deleted, so that what is buried can be dug up. Scores are made here from the stored
vectors, as everywhere: Milvus only says which rows are near. How far the cluster was brought is a row of its own there:
a cluster that lost its data, or was put back from a backup, says so itself.
"""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

import numpy as np

from app.errors import InvalidInput, ServiceUnavailable
from app.index.live import Near, Neighbour, Stored
from app.index.scores import exact_scores
from app.index.vectors import as_ids, check_rows, check_vectors

SCHEME = "milvus"
ROWS_PER_CALL = 1000  # 384 floats each: 1.5 MB, well below the 64 MB of a message
IDS_PER_FILTER = 10_000  # of an expression; more are asked in turns
SPARE = 16  # asked beyond k, so that rounding and ties at the cut are decided here
SHOWN = "hidden == false and known == true"
NO_PINGS = {
    "grpc.keepalive_time_ms": 2**31 - 1
}  # Milvus Lite takes the client's own for an attack, and says so on stderr
MARK = 0  # the id of the row that holds the watermark; images begin at 1


class MilvusIndex:
    """One collection and model key, under `name`, made if it is not there. Safe for any number of threads."""

    def __init__(self, url: str, name: str, dim: int) -> None:
        """Raises InvalidInput for the address, ServiceUnavailable when nobody answers there."""
        self._url, self._name, self._dim = url, name, dim
        with _plainly(url):
            self._client = connect(url)
            if not self._client.has_collection(name):
                _create(self._client, name, dim)
            self._client.load_collection(name)

    @property
    def watermark(self) -> int:
        """Changes up to here are on the cluster; 0 until somebody has said so."""
        with _plainly(self._url):
            rows = self._client.query(self._name, filter=f"image_id == {MARK}", output_fields=["seq"])
        return rows[0]["seq"] if rows else 0

    def note(self, watermark: int) -> None:
        """Say that every change up to this one was absorbed or buried, after it was."""
        self._put([self._row(MARK, self._placeholder, hidden=True, known=False, seq=watermark)])

    @property
    def vectors(self) -> int:
        """Images a search can find."""
        return self._count(SHOWN)

    @property
    def tail(self) -> int:
        """None: Milvus shows what it was given at once."""
        return 0

    @property
    def tombstones(self) -> int:
        return self._count("hidden == true and known == true")

    def search(self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None) -> list[list[Neighbour]]:
        """As `LiveIndex.search`; how near to exact is the cluster's own setting."""
        queries = check_vectors(queries, self._dim)
        if k < 1:
            raise InvalidInput(f"k is {k}: ask for 1 or more")
        conditions = (
            [SHOWN] if allowed is None else [f"{_within(part)} and {SHOWN}" for part in _parts(as_ids(allowed))]
        )
        found = [self._nearest(queries, k, condition) for condition in conditions]
        return [self._merged(query, [hits[row] for hits in found], k) for row, query in enumerate(queries)]

    def near_any(self, looks: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Near:
        """As `LiveIndex.near_any`."""
        found = [hit for hits in self.search(looks, k, allowed) for hit in hits]
        return Near.of(np.array([hit.image_id for hit in found], np.int64), np.array([hit.score for hit in found]))

    def vectors_of(self, ids: np.ndarray) -> Stored:
        """The stored vectors of those `ids` that are live, in any order; unknown and buried ones are left out."""
        rows = [row for part in _parts(as_ids(ids)) for row in self._rows(f"{_within(part)} and {SHOWN}")]
        vectors = np.array([row["vector"] for row in rows], np.float32).reshape(len(rows), self._dim)
        return Stored(np.array([row["image_id"] for row in rows], np.int64), vectors)

    def absorb(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Make these rows searchable; harmless to repeat. A buried id stays buried. Raises BadVector, InvalidInput."""
        ids, vectors = check_rows(ids, vectors, self._dim)
        buried = {
            row["image_id"] for part in _parts(ids) for row in self._rows(f"{_within(part)} and hidden == true", ())
        }
        pairs = zip(ids.tolist(), vectors, strict=True)
        self._put(self._row(image_id, vector, hidden=image_id in buried, known=True) for image_id, vector in pairs)

    def bury(self, ids: np.ndarray) -> None:
        """Hide these ids from every search from now on, those not absorbed yet too. Undone by `unbury`."""
        ids = as_ids(ids)
        here = {row["image_id"] for part in _parts(ids) for row in self._rows(_within(part), ())}
        absent = [image_id for image_id in ids.tolist() if image_id not in here]
        self._put(self._row(image_id, self._placeholder, hidden=True, known=False) for image_id in absent)
        self._put(({"image_id": image_id, "hidden": True} for image_id in sorted(here)), partial=True)

    def unbury(self, ids: np.ndarray) -> None:
        """Show these ids again. Undoes `bury`."""
        here = [
            row["image_id"]
            for part in _parts(as_ids(ids))
            for row in self._rows(f"{_within(part)} and hidden == true", ())
        ]
        self._put(({"image_id": image_id, "hidden": False} for image_id in here), partial=True)

    def shown_ids(self) -> np.ndarray:
        """Every id a search can find, int64, ascending: read in portions, for any number of rows."""
        found: list[int] = []
        with _plainly(self._url):
            rows = self._client.query_iterator(
                self._name, batch_size=IDS_PER_FILTER, filter=SHOWN, output_fields=["image_id"]
            )
            while portion := rows.next():
                found += [row["image_id"] for row in portion]
            rows.close()
        return np.array(sorted(found), np.int64)

    @functools.cached_property
    def _placeholder(self) -> np.ndarray:
        """Milvus knows no row without a vector."""
        return np.eye(1, self._dim, dtype=np.float32)[0]

    def _row(self, image_id: int, vector: np.ndarray, *, hidden: bool, known: bool, seq: int = 0) -> dict:
        return {"image_id": image_id, "vector": vector, "hidden": hidden, "known": known, "seq": seq}

    def _nearest(self, queries: np.ndarray, k: int, condition: str) -> list[list[dict]]:
        if not len(queries):
            return []
        with _plainly(self._url):
            return self._client.search(
                self._name,
                data=[query.tolist() for query in queries],
                limit=k + SPARE,
                filter=condition,
                output_fields=["image_id", "vector"],
            )

    def _merged(self, query: np.ndarray, found: Sequence[Sequence[dict]], k: int) -> list[Neighbour]:
        rows = [hit["entity"] for hits in found for hit in hits]
        if not rows:
            return []
        ids = np.array([row["image_id"] for row in rows], np.int64)
        scores = exact_scores(query, np.array([row["vector"] for row in rows], np.float32))
        return [Neighbour(int(ids[place]), float(scores[place])) for place in np.lexsort((ids, -scores))[:k]]

    def _rows(self, condition: str, fields: Sequence[str] = ("vector",)) -> list[dict]:
        with _plainly(self._url):
            return list(self._client.query(self._name, filter=condition, output_fields=["image_id", *fields]))

    def _count(self, condition: str) -> int:
        with _plainly(self._url):
            return self._client.query(self._name, filter=condition, output_fields=["count(*)"])[0]["count(*)"]

    def _put(self, rows, partial: bool = False) -> None:
        rows = list(rows)
        with _plainly(self._url):
            for start in range(0, len(rows), ROWS_PER_CALL):
                self._client.upsert(self._name, rows[start : start + ROWS_PER_CALL], partial_update=partial)


def ping(url: str) -> int:
    """How many collections there are. Raises as `MilvusIndex`."""
    with _plainly(url):
        return len(connect(url).list_collections())


@functools.lru_cache
def connect(url: str):
    """A client for this address, one per process. Raises InvalidInput for the address."""
    from pymilvus import MilvusClient

    parts = urlsplit(url)
    if parts.scheme != SCHEME or not (parts.hostname or parts.path.strip("/")):
        raise InvalidInput(
            f"{shown_url(url)} is no address of Milvus: give milvus://HOST:19530 or milvus:///FOLDER/FILE.db"
        )
    if parts.hostname is None:
        return MilvusClient(parts.path, grpc_options=NO_PINGS)
    return MilvusClient(
        f"http://{parts.hostname}:{parts.port or 19530}",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _create(client, name: str, dim: int) -> None:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("image_id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    schema.add_field("hidden", DataType.BOOL)
    schema.add_field("known", DataType.BOOL)  # false: buried before it ever came
    schema.add_field("seq", DataType.INT64)  # of the row that holds the watermark
    index = client.prepare_index_params()
    index.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
    # strong: a search sees every row that was acknowledged before it, in every process
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


@contextlib.contextmanager
def _plainly(url: str) -> Iterator[None]:
    """What the cluster says, as one line of ours."""
    try:
        from pymilvus.exceptions import MilvusException
    except ImportError:
        raise ServiceUnavailable("Milvus needs its client: run `pip install 'dinoseek[milvus]'`") from None
    try:
        yield
    except MilvusException as trouble:
        said = " ".join(str(trouble.message).split())[:200]
        raise ServiceUnavailable(
            f"Milvus at {shown_url(url)} can't be used ({said}): check DINOSEEK_VECTOR_URL"
        ) from trouble


def shown_url(url: str) -> str:
    """Without its password."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url


def _within(ids: np.ndarray) -> str:
    return f"image_id in {ids.tolist()}"


def _parts(ids: np.ndarray) -> list[np.ndarray]:
    ids = np.unique(ids)
    return [ids[start : start + IDS_PER_FILTER] for start in range(0, len(ids), IDS_PER_FILTER)]
