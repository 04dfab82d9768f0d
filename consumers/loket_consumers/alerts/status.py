"""What the receiver tells of itself: metrics, and whether it gets on."""

from __future__ import annotations

import platform
import threading
from collections import Counter
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from loket import __version__
from loket.catalogue import ALERTS_METRICS, pipeline
from loket.catalogue import alerts as names
from loket.clock import Clock
from loket.exposition import CONTENT_TYPE, Page, labels
from loket.serving import Response, Routes, progress_page

__all__ = ["Status"]

_COUNTED: Final = (names.ALERT_DELIVERIES, names.ACKNOWLEDGEMENTS)


class Status:
    """The state of a receiver; told by the server's threads and by its loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counted = {metric.name: Counter(dict.fromkeys(metric.values, 0)) for metric in _COUNTED}
        self._last_at: int | None = None
        self._process = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._process)
        self.away = ""

    def delivered(self, result: str) -> None:
        """A delivery was kept, refused, or the database was away."""
        with self._lock:
            self._counted[names.ALERT_DELIVERIES.name][result] += 1
            if result == "kept":
                self._last_at = self._clock.now_ms()

    def acknowledged(self, result: str) -> None:
        """An acknowledgement was taken, already taken, or refused."""
        with self._lock:
            self._counted[names.ACKNOWLEDGEMENTS.name][result] += 1

    def doing(self) -> str:
        """What it does now, in a line."""
        with self._lock:
            counted = self._counted[names.ALERT_DELIVERIES.name]
            return f"receives alerts: {counted['kept']:,} deliveries kept"

    def waits_for(self) -> list[str]:
        """Why this is not ready."""
        return [self.away] if self.away else []

    def routes(self) -> Routes:
        """The pages by path."""
        return {
            "/metrics": lambda: Response(200, CONTENT_TYPE, self.render()),
            "/-/healthy": lambda: progress_page("healthy", []),
            "/-/ready": lambda: progress_page("ready", self.waits_for()),
        }

    def render(self) -> bytes:
        """The page of metrics."""
        page = Page((*ALERTS_METRICS, pipeline.BUILD_INFO))
        page.add(names.ALERTS_DATABASE_UP, "", int(not self.away))
        with self._lock:
            if self._last_at is not None:
                page.add(names.ALERTS_LAST_DELIVERY, "", self._last_at)
            for metric in _COUNTED:
                for result, number in self._counted[metric.name].items():
                    page.add(metric, labels(result=result), number)
        built = labels(component="alerts", version=__version__, python=platform.python_version())
        page.add(pipeline.BUILD_INFO, built, 1)
        return page.render() + generate_latest(self._process)
