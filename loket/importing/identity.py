"""Ids made of key columns: the same in every import, legible where they can be, hashed where they must."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from loket.domain.events import OPAQUE_PATTERN, PERSONAL_PATTERN
from loket.importing.report import RefusedRowError
from loket.wire.pseudonyms import Kind, pseudonym

__all__ = ["Identities", "slug"]

_JOIN: Final = "/"
_opaque = re.compile(OPAQUE_PATTERN).match
_personal = re.compile(PERSONAL_PATTERN).match
_not_of_ids = re.compile(r"[^a-z0-9._:/-]+")


def slug(text: str) -> str:
    """Lower-case letters, figures and `. _ : / -`; whatever else stands between them is one hyphen."""
    return _not_of_ids.sub("-", text.casefold()).strip("-")


def is_personal(text: str) -> bool:
    """Whether this is a national identity or civil servant's number, written with spaces or without."""
    return _personal(text.replace(" ", "")) is not None


class Identities:
    """Makes ids. With a `secret` hashes are keyed by it, so that nobody without it can find out by trying whose they
    are; an id that shows a personal number is never made."""

    def __init__(self, secret: bytes | None) -> None:
        self._secret = secret

    def of_columns(self, columns: Sequence[str], parts: Sequence[str], prefix: str, always_hashed: bool) -> str:
        """The id of a row's key columns; different parts make different ids. Raises RefusedRowError."""
        personal = False
        for column, part in zip(columns, parts, strict=True):
            if not part:
                raise RefusedRowError(column, part, "a key column is empty: the row's id would not be its own")
            if is_personal(part):
                personal = True
                self._need_secret(column)
        joined = prefix + _JOIN.join(parts)
        # A part with the joint in it could make the id of another row.
        legible = not any(_JOIN in part for part in parts) and _opaque(joined)
        if legible and not personal and not always_hashed:
            return joined
        return prefix + (self.pseudonym("subject", parts[0]) if len(parts) == 1 else self.hashed(*parts))

    def pseudonym(self, kind: Kind, id: str) -> str:
        """What a device with the secret as its key makes of an id; without a secret a hash that has no key."""
        if self._secret is None:
            return self.hashed(id)
        return pseudonym(self._secret, kind, id.replace(" ", "") if is_personal(id) else id)

    def hashed(self, *parts: str) -> str:
        """128 bits, in 32 hexadecimal figures, of the parts and how they are parted."""
        content = b"".join(len(encoded).to_bytes(4, "big") + encoded for encoded in map(str.encode, parts))
        if self._secret is not None:
            return hmac.digest(self._secret, content, "sha256").hex()[:32]
        return hashlib.sha256(content).hexdigest()[:32]

    def _need_secret(self, column: str) -> None:
        if self._secret is None:
            # The number itself is not repeated: reports are kept and sent around.
            raise RefusedRowError(
                column,
                "(a number of 16 or 18 digits)",
                "looks like a national identity or civil servant's number: choose another key column, or give the "
                "mapping a `secret`, by which it is replaced by a keyed hash",
            )
