"""A worker's way to the bytes of what it claimed: a file goes to the decoder, what is not on a disk is read first."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from app.errors import NotFound, ServiceUnavailable, UnreadableImage
from app.resources import Resources
from app.vision.answers import Prepared
from app.whereabouts import Source, first_present, read

Submit = Callable[..., Future[Prepared]]


class Originals:
    """Reads from the store and from servers in threads of its own, a few at a time: each may hold a whole file."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._threads = ThreadPoolExecutor(resources.settings.remote_reads, thread_name_prefix="fetch")

    def send(self, sources: Mapping[int, Source], submit: Submit) -> dict[int, Future[Prepared]]:
        """The decoding of each image that may be somewhere.

        A future raises UnreadableImage, whatever went wrong; but ServiceUnavailable when the store can't be used.
        """
        futures = {image_id: self._send(source, submit) for image_id, source in sources.items()}
        return {image_id: future for image_id, future in futures.items() if future is not None}

    def _send(self, source: Source, submit: Submit) -> Future[Prepared] | None:
        storage = self._resources.storage
        own = [storage.original(source.digest)] if source.stored else []
        path = first_present(own if storage.store else [*own, *source.paths])
        if path is not None:
            return submit(path)
        if storage.store or source.addresses:
            return self._threads.submit(self._fetch, source, submit)
        return None

    def _fetch(self, source: Source, submit: Submit) -> Prepared:
        """What is on this host's disks is held against the digest first where hosts have disks of their own."""
        try:
            found = read(self._resources, source)
        except NotFound as missing:
            raise UnreadableImage(str(missing), "vanished") from None
        except ServiceUnavailable as trouble:
            if source.stored:
                raise
            raise UnreadableImage(str(trouble), "unreachable") from None
        if found is None:
            raise UnreadableImage("it is at none of its places here", "vanished")
        return submit(found, name=next(iter(source.addresses), "")).result()
