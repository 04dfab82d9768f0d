"""Time zones as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from loket.documents import Node

__all__ = ["zone_of"]

_BY_ABBREVIATION: Final = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
"""What the three zones of Indonesia are called there; the abbreviations are no names of the zone database."""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _cities() -> Mapping[str, str]:
    """The zone of each city, the first where several have one of that name."""
    return {zone.rpartition("/")[2].casefold(): zone for zone in sorted(_zones(), reverse=True)}


def zone_of(node: Node) -> str | None:
    """A zone of the IANA database."""
    zone = node.text("a time zone such as Asia/Jakarta")
    if zone is None or zone in _zones():
        return zone
    meant = _BY_ABBREVIATION.get(zone.upper()) or _cities().get(zone.casefold())
    hint = f" (did you mean `{meant}`?)" if meant else node.closest(zone, _zones())
    node.fault(f"`{zone}` is not a zone of the IANA time zone database{hint}: write one such as Asia/Jakarta")
    return None
