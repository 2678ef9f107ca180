"""Signed, expiring addresses: whoever was not given a picture's address can't guess one, or keep one for long."""

import hashlib
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote, urlencode

from itsdangerous import Signer

LIFETIME_S = 12 * 3600  # good for 12 to 24 hours, and the same text meanwhile, so that browsers can cache it


@dataclass(frozen=True)
class Links:
    """Signs addresses and upload tickets with the secret of one home."""

    secret: bytes = field(repr=False)
    lifetime_s: int = LIFETIME_S

    def sign(self, path: str) -> str:
        """`path` with its expiry and signature."""
        until = self._until()
        return f"{quote(path)}?{urlencode({'until': until, 'sig': self._signature('link', path, until)})}"

    def refuse_link(self, path: str, until: str | None, signature: str | None) -> HTTPStatus | None:
        """The status to refuse this address with, or none when it is ours and still good."""
        return self._refuse("link", path, until, signature)

    def ticket(self, purpose: str) -> str:
        """Leave to send bytes for one purpose, such as `queries` or `uploads/holiday`."""
        until = self._until()
        return f"{until}.{self._signature('ticket', purpose, until)}"

    def refuse_ticket(self, purpose: str, ticket: str | None) -> HTTPStatus | None:
        until, _, signature = (ticket or "").partition(".")
        return self._refuse("ticket", purpose, until, signature)

    def _refuse(self, kind: str, subject: str, until: str | None, signature: str | None) -> HTTPStatus | None:
        if not until or not signature:
            return HTTPStatus.UNAUTHORIZED
        if not (until.isascii() and until.isdigit() and len(until) <= 12):
            return HTTPStatus.FORBIDDEN
        ours = self._signer(kind).verify_signature(_text(subject, until), signature.encode())
        return None if ours and time.time() < int(until) else HTTPStatus.FORBIDDEN

    def _until(self) -> int:
        return (int(time.time()) // self.lifetime_s + 2) * self.lifetime_s

    def _signature(self, kind: str, subject: str, until: int) -> str:
        return self._signer(kind).get_signature(_text(subject, until)).decode()

    def _signer(self, kind: str) -> Signer:
        return Signer(self.secret, salt=f"dinoseek.{kind}", digest_method=hashlib.sha256)


def _text(subject: str, until: int | str) -> bytes:
    return f"{until}|{subject}".encode()
