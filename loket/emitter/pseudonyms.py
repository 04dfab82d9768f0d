"""Replaces the ids of people and tickets in a device's events, before anything is stored or sent."""

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from loket.emitter.errors import KeyUnusable
from loket.wire.pseudonyms import KIND_OF, Kind, pseudonym

__all__ = ["MIN_KEY_BYTES", "Kind", "Pseudonyms"]

MIN_KEY_BYTES: Final = 32
"""Ids are few and can be tried one by one; only a key that nobody can guess keeps them."""


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
        return pseudonym(self._key, kind, id)

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
        kind = KIND_OF.get(name)
        if kind is None or kind not in self._kinds or not _is_id(value):
            return value
        return self.pseudonym(kind, value)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and value != ""
