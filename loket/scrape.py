"""Reads a page of metrics back, as Prometheus would: for `loket status`, and for `try`, which compares with the record.

```
LoketError
└── ScrapeError         a page of metrics could not be had
    ├── Unreachable     nobody answers at its address, or not with a page
    └── Unreadable      what answers is not in Prometheus' text format
```
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from loket.errors import LoketError

__all__ = ["Sample", "ScrapeError", "Unreachable", "Unreadable", "read", "scrape"]

TIMEOUT_S: Final = 10.0
"""As long as Prometheus would wait by default."""


class Sample(Struct, frozen=True):
    """One series and its value. A label that is absent or empty is the same to Prometheus: here it may be either."""

    name: str
    labels: Mapping[str, str]
    value: float


class ScrapeError(LoketError):
    """A page of metrics could not be had; carries its address and the reason."""

    def __init__(self, url: str, reason: str, advice: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"{url}: {reason}; {advice}")


class Unreachable(ScrapeError):
    """Nobody answers, or not with a page."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, f"no metrics there ({reason})", "start the worker or sink, or name the address of one")


class Unreadable(ScrapeError):
    """Something else answers there."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            url, f"what answers is not a page of metrics ({reason})", "name the address of a worker or sink"
        )


def scrape(url: str, *, timeout_s: float = TIMEOUT_S) -> list[Sample]:
    """The samples of the page at an address (http or https). Raises ScrapeError."""
    return read(_fetch(url, timeout_s), url)


def read(page: str, source: str = "the page") -> list[Sample]:
    """The samples of a page in the text format, in its order. Raises Unreadable, naming the `source`."""
    try:
        return [
            Sample(sample.name, sample.labels, float(sample.value))
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        ]
    except (ValueError, IndexError, KeyError) as error:
        raise Unreadable(source, str(error) or type(error).__name__) from error


def _fetch(url: str, timeout_s: float) -> str:
    if not url.startswith(("http://", "https://")):
        raise Unreachable(url, "the address has to begin with http:// or https://")
    # No proxy of the environment: it would be asked for what runs on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            content: bytes = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            raise Unreachable(url, f"it answers with status {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(url, str(getattr(error, "reason", error)) or type(error).__name__) from error
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(url, "it is not in UTF-8") from error
