"""Keyed hashes in place of ids of people and tickets: one formula, whether a device or an import makes them.

```
pseudonym = "p" + first 26 characters of base32(HMAC-SHA256(key, kind + "\\0" + id in UTF-8)), in lower case
kind      = "employee" for `employee` and `to_employee`; "subject" for `subject`, `data.ticket` and `data.request`
```

The same key gives the same pseudonym everywhere, so a person stays one person; another key gives another person.
Twenty-seven characters of a-z and 2-7 match the pattern of ids, and cannot be the 16 or 18 digits of a personal number.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["KIND_OF", "Kind", "pseudonym"]

Kind = Literal["employee", "subject"]

KIND_OF: Final[Mapping[str, Kind]] = {
    "employee": "employee",
    "to_employee": "employee",
    "ticket": "subject",
    "request": "subject",
}
"""Data fields that hold ids of people, or the subject of another event: those must still match."""


def pseudonym(key: bytes, kind: Kind, id: str) -> str:
    """The keyed hash of one id."""
    # Ids come from JSON, where a lone surrogate is possible; it must not end in a crash.
    told = f"{kind}\0{id}".encode("utf-8", "surrogatepass")
    return "p" + b32encode(hmac.digest(key, told, "sha256")).decode("ascii")[:26].lower()
