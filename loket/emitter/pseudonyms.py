"""Keyed hashes in place of ids: whoever has no key cannot tell whose they are, and nobody can read them back.

```
pseudonym = "p" + first 26 characters of base32(HMAC-SHA256(key, kind + "\\0" + id in UTF-8)), in lower case
kind      = "employee" for `employee` and `to_employee`; "subject" for `subject`, `data.ticket` and `data.request`
```

The same key gives the same pseudonym on every device, so a person stays one person; another key gives another person.
Twenty-seven characters of a-z and 2-7 match the pattern of ids, and cannot be the 16 or 18 digits of a personal number.
"""

import hmac
import stat
from base64 import b32encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from loket.emitter.errors import KeyUnusable

__all__ = ["MIN_KEY_BYTES", "Kind", "Pseudonyms"]

Kind = Literal["employee", "subject"]

MIN_KEY_BYTES: Final = 32
"""Ids are few and can be tried one by one; only a key that nobody can guess keeps them."""

_KIND_OF: Final[Mapping[str, Kind]] = {
    "employee": "employee",
    "to_employee": "employee",
    "ticket": "subject",
    "request": "subject",
}
"""Data fields that hold ids of people, or the subject of another event: those must still match."""


class Pseudonyms:
    """Replaces the ids of an event by keyed hashes. `kinds` says which; the key is never shown."""

    def __init__(self, key: bytes, kinds: Iterable[Kind] = ("employee", "subject")) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"a key has at least {MIN_KEY_BYTES} bytes")
        self._key = key
        self._kinds = frozenset(kinds)

    @classmethod
    def from_file(cls, path: Path, kinds: Iterable[Kind] = ("employee", "subject")) -> "Pseudonyms":
        """Read the key: the whole file without a newline at its end. Raises KeyUnusable."""
        try:
            if path.stat().st_mode & stat.S_IROTH:
                raise KeyUnusable(path, f"can be read by everybody on this device: run chmod 600 {path}")
            key = path.read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise KeyUnusable(path, f"cannot be read: {error.strerror}") from error
        if len(key) < MIN_KEY_BYTES:
            raise KeyUnusable(
                path,
                f"holds {len(key)} bytes, and a key has at least {MIN_KEY_BYTES}: make one with "
                f"`openssl rand -base64 48 > {path}` and give the same to every device",
            )
        return cls(key, kinds)

    def pseudonym(self, kind: Kind, id: str) -> str:
        """The keyed hash of one id."""
        # Ids come from JSON, where a lone surrogate is possible; it must not end in a crash.
        told = f"{kind}\0{id}".encode("utf-8", "surrogatepass")
        return "p" + b32encode(hmac.digest(self._key, told, "sha256")).decode("ascii")[:26].lower()

    def replace(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the event with its ids replaced, those that `event.corrected` sets too; what is no text stays."""
        replaced = dict(event)
        if "subject" in self._kinds and _is_id(event.get("subject")):
            replaced["subject"] = self.pseudonym("subject", event["subject"])
        data = event.get("data")
        if isinstance(data, Mapping):
            replaced["data"] = self._fields(data)
            corrections = data.get("set")
            if event.get("type") == "loket.event.corrected" and isinstance(corrections, Mapping):
                replaced["data"]["set"] = self._fields(corrections)
        return replaced

    def _fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._field(name, value) for name, value in fields.items()}

    def _field(self, name: str, value: Any) -> Any:
        kind = _KIND_OF.get(name)
        if kind is None or kind not in self._kinds or not _is_id(value):
            return value
        return self.pseudonym(kind, value)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value != ""
