"""One file over HTTP into one that may hold its beginning already: resumed where cut, stopped where too long."""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import httpx

from app.errors import WeightsUnavailable

Progress = Callable[[int, int | None], None]  # bytes here, bytes in all where known

TIMEOUT = httpx.Timeout(30, connect=4)  # a closed network should say so while the person still looks
MOST_BYTES = 8 * 2**30  # larger than any weights: where a stream of unknown length is stopped
TRIES = 4  # in a row that bring nothing new
PAUSE_S = 0.5  # before another try, doubled each time
SHA256 = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?', re.IGNORECASE)


class _Cut(Exception):
    """The connection ended before the file did."""


@dataclass
class Download:
    """`part` is open to append. `size_bytes` and the first digits of the SHA-256 as far as they are known."""

    part: BinaryIO
    url: str
    size_bytes: int | None
    sha256: str
    on_progress: Progress
    announced_sha256: str | None = None  # by the server, once it has answered

    def run(self) -> None:
        """Try again while tries bring something; a server that always cuts at the same byte ends it.

        Raises WeightsUnavailable, httpx.HTTPError, httpx.InvalidURL, OSError.
        """
        longest, tries = part_bytes(self.part), 0
        with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
            while True:
                try:
                    return self._stream(client)
                except _Cut as cut:
                    here = part_bytes(self.part)
                    tries = 0 if here > longest else tries + 1
                    longest = max(longest, here)
                    if tries >= TRIES:
                        raise WeightsUnavailable(f"{cut}; {here:,} bytes are kept for the next try") from None
                    time.sleep(PAUSE_S * 2**tries)

    def _stream(self, client: httpx.Client) -> None:
        """One request, from where the part ends. Raises _Cut when the server ends early."""
        start = part_bytes(self.part)
        if start and start == self.size_bytes:
            return
        # Compressed on the way, a range would count other bytes than ours
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        try:
            with client.stream("GET", self.url, headers=headers) as response:
                self._hear(response)
                if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return  # nothing follows what we have: the digest will tell
                response.raise_for_status()
                start = _resumed_at(response, start)
                self.part.truncate(start)  # opened to append: writing goes on from there
                self.part.seek(start)
                self._copy(response)
        except (httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError) as cut:
            raise _Cut(f"the connection was cut ({words(cut)})") from None
        if self.size_bytes is not None and part_bytes(self.part) < self.size_bytes:
            raise _Cut("the server ended the file early")

    def _hear(self, response: httpx.Response) -> None:
        """What a hub says of the file, before gigabytes of another one come.

        A hub that sends one on to its stores names the digest itself; the stores' own ETag may be of another hash.
        """
        answers = [*response.history, response]
        linked = next(filter(None, (_sha256(answer, "X-Linked-Etag") for answer in answers)), None)
        self.announced_sha256 = linked or _sha256(answers[0], "ETag")
        if linked and not linked.startswith(self.sha256):
            raise WeightsUnavailable(
                f"the server has another file, of SHA-256 {linked[:12]}… and not {self.sha256[:12]}…"
            )

    def _copy(self, response: httpx.Response) -> None:
        most = self.size_bytes or MOST_BYTES
        told = response.headers.get("Content-Length")
        total = self.size_bytes or (self.part.tell() + int(told) if told else None)
        for chunk in response.iter_raw():  # as they come: a chunk size would lose what is gathered when the line is cut
            self.part.write(chunk)
            self.on_progress(self.part.tell(), total)
            if self.part.tell() > most:
                return  # too long to be it; the digest refuses it


def part_bytes(part: BinaryIO) -> int:
    part.flush()
    return os.fstat(part.fileno()).st_size


def words(trouble: Exception) -> str:
    """What went wrong, in a few of them."""
    if isinstance(trouble, httpx.ConnectTimeout):
        return f"no connection within {TIMEOUT.connect:g} s"
    if isinstance(trouble, httpx.TimeoutException):
        return f"nothing came for {TIMEOUT.read:g} s"
    if isinstance(trouble, httpx.HTTPStatusError):
        return f"the server answered {trouble.response.status_code} {trouble.response.reason_phrase}".rstrip()
    if isinstance(trouble, OSError) and trouble.strerror:
        return trouble.strerror
    return re.sub(r"^\[.*?\] ", "", str(trouble)) or type(trouble).__name__


def _sha256(answer: httpx.Response, header: str) -> str | None:
    said = SHA256.fullmatch(answer.headers.get(header, ""))
    return said[1].lower() if said else None


def _resumed_at(response: httpx.Response, wanted: int) -> int:
    """The first byte this answer brings: 0 from a server that ignores ranges."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    told = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if told is None or int(told[1]) != wanted:
        raise WeightsUnavailable("the server sent another part of the file than was asked for")
    return wanted
