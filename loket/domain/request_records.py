"""A unit's requests as records: pages of requests by day of submission, and of hashes of forgotten ones.

    r.<day>.<number>    requests, up to PAGE_REQUESTS
    f.<number>          hashes, up to FORGOTTEN_ON_PAGE

The head names them (`loket.domain.records`). What is wrong with them raises ValueError, or what msgspec raises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec
from msgspec import Raw

from loket.domain.calendar import Calendar
from loket.domain.policy import UnitPolicy
from loket.domain.request_course import Course
from loket.domain.request_steps import Request
from loket.domain.requesting import label_of, measure_open
from loket.domain.requests import FORGOTTEN_ON_PAGE, PAGE_REQUESTS, RequestPage
from loket.domain.state import UnitState

__all__ = ["gone_records", "hours_mark", "mark_requests", "page_names", "restore_requests", "take_request_records"]

_NEAREST_MS = 60_000_000_000_000
"""Before 1970: some 1,900 years."""

_TIMES = tuple(name for name in Course.__struct_fields__ if name.endswith(("_at", "_ms", "_since")))

_ENCODER = msgspec.msgpack.Encoder()
_REQUESTS = msgspec.msgpack.Decoder(list[Request])
_HASHES = msgspec.msgpack.Decoder(list[int])
_STABLE = msgspec.msgpack.Encoder(order="deterministic", enc_hook=lambda days: sorted(days))
_FURTHEST_MS = 240_000_000_000_000
"""Of an instant or a duration: some 7,600 years, so that every instant has a date."""


def _page_name(page: RequestPage) -> str:
    return f"r.{page[0]}.{page[1]}"


def _page_key(name: str) -> RequestPage:
    _, day, number = name.split(".")
    page = int(day), int(number)
    if _page_name(page) != name or page[0] < 0 or page[1] < 0:
        raise ValueError(f"{name!r} is no name of a page")
    return page


def _forgotten_number(name: str) -> int:
    number = int(name[2:])
    if name != f"f.{number}" or number < 0:
        raise ValueError(f"{name!r} is no name of a page")
    return number


def page_names(state: UnitState) -> tuple[list[str], list[int]]:
    """The pages of requests and of forgotten ones that a head names."""
    return [_page_name(page) for page in state.requests.pages], sorted(state.requests.forgotten)


@lru_cache(maxsize=1024)
def _mark(zone: str, calendar: Calendar) -> bytes:
    return hashlib.blake2b(_STABLE.encode((zone, calendar)), digest_size=8).digest()


def hours_mark(policy: UnitPolicy) -> bytes:
    """What tells the opening hours of a unit from others, in any process."""
    return _mark(policy.zone, policy.calendar)


def take_request_records(state: UnitState) -> Iterator[tuple[bytes, bytes | None]]:
    """The pages that changed since the last take, None for those that are gone."""
    requests, unit = state.requests, state.unit.encode() + b"\0"
    for page in sorted(requests.dirty_pages):
        packed = [Raw(requests.held[subject]) for subject in requests.pages[page]]
        yield unit + _page_name(page).encode(), _ENCODER.encode(packed)
    for number in sorted(requests.dirty_forgotten):
        yield unit + b"f.%d" % number, _ENCODER.encode(sorted(requests.forgotten[number]))
    for page in sorted(requests.gone_pages):
        yield unit + _page_name(page).encode(), None
    for number in sorted(requests.gone_forgotten):
        yield unit + b"f.%d" % number, None
    for marks in (requests.dirty_pages, requests.gone_pages, requests.dirty_forgotten, requests.gone_forgotten):
        marks.clear()


def mark_requests(state: UnitState) -> None:
    """Make every page due to be written again."""
    state.requests.dirty_pages.update(state.requests.pages)
    state.requests.dirty_forgotten.update(state.requests.forgotten)


def gone_records(state: UnitState, names: Iterable[str]) -> list[str]:
    """Have pages that the head does not name deleted, and return the names that are not of requests."""
    others = []
    for name in names:
        if name.startswith("r."):
            state.requests.gone_pages.add(_page_key(name))
        elif name.startswith("f."):
            state.requests.gone_forgotten.add(_forgotten_number(name))
        else:
            others.append(name)
    return others


def restore_requests(
    state: UnitState, named: Iterable[str], forgotten: Iterable[int], hours: bytes, pages: Mapping[str, bytes]
) -> None:
    """Take the requests that a head names from its pages; their targets anew, if the opening hours are others now."""
    requests = state.requests
    for name in named:
        place = _page_key(name)
        found = _REQUESTS.decode(_page(pages, name))
        if not 0 < len(found) <= PAGE_REQUESTS:
            raise ValueError(f"page {name} has {len(found)} requests")
        for request in found:
            if (request.day, request.page) != place or any(
                not -_NEAREST_MS < ms < _FURTHEST_MS for ms in _times(request)
            ):
                raise ValueError(f"a request on page {name} does not belong there, or is of no time")
            requests.restore(request, _ENCODER.encode(request), label_of(request), state.policy)
    for number in forgotten:
        hashes = _HASHES.decode(_page(pages, f"f.{number}"))
        if len(hashes) > FORGOTTEN_ON_PAGE:
            raise ValueError(f"page f.{number} has {len(hashes)} hashes")
        requests.forgotten[number] = set(hashes)
    state.admission.requests = len(requests.held)
    if requests.held and hours != hours_mark(state.policy):
        measure_open(state)


def _page(pages: Mapping[str, bytes], name: str) -> bytes:
    packed = pages.get(name)
    if packed is None:
        raise ValueError(f"its page {name} is missing")
    return packed


def _times(request: Request) -> Iterator[int]:
    """All instants and durations of a request."""
    for step in request.steps:
        yield step.at
        yield step.target_ms or 0
    for name in _TIMES:
        yield getattr(request.course, name) or 0
