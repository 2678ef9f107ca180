"""A worker's way to the bytes of what it claimed: a file goes to the decoder, what lies on a server is read first."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from app.errors import NotFound, ServiceUnavailable, UnreadableImage
from app.library import first_present, readable
from app.resources import Resources
from app.vision.decoder import Prepared

Submit = Callable[..., Future[Prepared]]


class Originals:
    """Reads from servers in threads of its own, a few at a time: each may hold a whole file."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._threads = ThreadPoolExecutor(resources.settings.remote_reads, thread_name_prefix="fetch")

    def send(self, places: Mapping[int, Sequence[Path | str]], submit: Submit) -> dict[int, Future[Prepared]]:
        """The decoding of each image that has a place. A future raises UnreadableImage, whatever went wrong."""
        futures = {image_id: self._send(found, submit) for image_id, found in places.items()}
        return {image_id: future for image_id, future in futures.items() if future is not None}

    def _send(self, places: Sequence[Path | str], submit: Submit) -> Future[Prepared] | None:
        path = first_present(places)
        if path is not None:
            return submit(path)
        addresses = [place for place in places if isinstance(place, str)]
        return self._threads.submit(self._fetch, addresses, submit) if addresses else None

    def _fetch(self, addresses: Sequence[str], submit: Submit) -> Prepared:
        try:
            data = readable(self._resources, addresses)
        except NotFound as missing:
            raise UnreadableImage(str(missing), "vanished") from None
        except ServiceUnavailable as trouble:
            raise UnreadableImage(str(trouble), "unreachable") from None
        return submit(data, name=addresses[0]).result()
