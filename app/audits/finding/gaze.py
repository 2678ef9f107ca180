"""Pictures as an audit looks at them: decoded in children, a bounded number kept at hand."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from app.alignment import VIEW_BYTES, VIEW_PX, View
from app.catalog import images
from app.errors import AppError, UnreadableImage
from app.resources import Resources
from app.vision.answers import Seen
from app.vision.decoder import Decoder
from app.whereabouts import Source, read, sources

UNKNOWN = UnreadableImage("it is not in the catalogue any more", "vanished")
KEPT_BYTES = 512 * 2**20
Made = TypeVar("Made")


class Gaze:
    """Views by image id, the ones asked for last kept. Safe for any number of threads."""

    def __init__(self, resources: Resources, decoder: Decoder, kept_bytes: int = KEPT_BYTES) -> None:
        self._resources, self._decoder, self._kept_bytes = resources, decoder, kept_bytes
        self._views: OrderedDict[int, Future[View]] = OrderedDict()
        self._lock = threading.Lock()

    def seen(self, found: Mapping[int, Source], *, whole: bool = False) -> dict[int, Future[Seen]]:
        """Decoding begins; a future raises UnreadableImage, whatever went wrong."""
        return {image_id: self._decoded(source, whole) for image_id, source in found.items()}

    def sources(self, image_ids: Iterable[int]) -> dict[int, Source]:
        with self._resources.catalog.read() as session:
            found: dict[int, Source] = {}
            for chosen in images.portions(list(image_ids)):
                found |= sources(self._resources, session, images.all_of(session, chosen))
            return found

    def prepare(self, image_ids: Iterable[int]) -> None:
        """Have these decoded in their order, as far as they are not at hand; the oldest make room."""
        with self._lock:
            missing = [image_id for image_id in dict.fromkeys(image_ids) if not self._touch(image_id)]
        found = self.sources(missing)
        begun = self.seen({one: found[one] for one in missing if one in found})
        for image_id in missing:
            with self._lock:
                self._views[image_id] = _then(_view, begun.get(image_id) or _failed(UNKNOWN))
        with self._lock:
            self._make_room()

    def view(self, image_id: int) -> View:
        """Of one that was prepared lately. Raises UnreadableImage."""
        with self._lock:
            known = self._views.get(image_id)
        if known is None:
            self.prepare([image_id])
            return self.view(image_id)
        return known.result()

    def _touch(self, image_id: int) -> bool:
        if image_id not in self._views:
            return False
        self._views.move_to_end(image_id)
        return True

    def _make_room(self) -> None:
        most = max(2, self._kept_bytes // VIEW_BYTES)
        while len(self._views) > most:
            self._views.popitem(last=False)

    def _decoded(self, source: Source, whole: bool) -> Future[Seen]:
        try:
            found = read(self._resources, source)
            if found is None:
                raise UnreadableImage("its file is at none of its places now", "vanished")
        except AppError as refusal:
            return _failed(refusal)
        decoded = self._decoder.view(found, VIEW_PX, whole=whole, name=next(iter(source.addresses), ""))
        return _then(partial(_own, source.digest), decoded)


def _own(digest: str, seen: Seen) -> Seen:
    """A file that was changed since is another picture: nothing it shows says anything about this one."""
    if seen.digest != digest:
        raise UnreadableImage("its file was changed since it was ingested: ingest it again", "changed")
    return seen


def _view(seen: Seen) -> View:
    return View(seen.pixels)


def _then(make: Callable[[Seen], Made], seen: Future[Seen]) -> Future[Made]:
    made: Future[Made] = Future()
    seen.add_done_callback(partial(_make, make, made))
    return made


def _make(make: Callable[[Seen], Made], made: Future[Made], seen: Future[Seen]) -> None:
    try:
        made.set_result(make(seen.result()))
    except BaseException as refusal:  # noqa: BLE001  (whoever asks for it is told)
        made.set_exception(refusal)


def _failed(refusal: AppError) -> Future[Seen]:
    future: Future[Seen] = Future()
    code = refusal.code if isinstance(refusal, UnreadableImage) else "unreachable"
    future.set_exception(UnreadableImage(str(refusal), code))
    return future
