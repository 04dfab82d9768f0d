"""What a sink tells of itself: metrics, and whether it gets on. Written by the sink's thread, read by the server's."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from loket import __version__
from loket.catalogue import SINK_METRICS, pipeline
from loket.catalogue import sink as names
from loket.clock import Clock
from loket.exposition import CONTENT_TYPE, Page, labels
from loket.serving import Response, Routes, progress_page
from loket.wire.rejection import Reason
from loket_consumers.storing import RESULTS, Stored

__all__ = ["Status"]

STUCK_S = 60.0
"""A loop that has not come round, or records that wait and are not stored, for so long: no progress."""


class Status:
    """The state of a sink as others may see it."""

    def __init__(self, clock: Clock, highwater: Callable[[int], int | None]) -> None:
        self._clock = clock
        self._highwater = highwater
        self._beat_at = clock.monotonic()
        self._moved_at = clock.monotonic()
        self._results: Counter[str] = Counter(dict.fromkeys(RESULTS, 0))
        self._reasons: Counter[str] = Counter({str(reason): 0 for reason in Reason})
        self._process = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._process)
        self.next: dict[int, int] = {}
        self.committed_at_ms: int | None = None
        self.away = ""
        self.kafka_away = ""
        self.joined = False
        self.targets_error = ""

    def doing(self) -> str:
        """What the sink does now, in a line."""
        lag = self.lag()
        wrong = ", the targets' file is refused" if self.targets_error else ""
        return f"stores {len(lag)} partitions, {sum(lag.values()):,} records behind{wrong}"

    def beat(self) -> None:
        """The loop comes round."""
        self._beat_at = self._clock.monotonic()
        if not self._behind():
            self._moved_at = self._beat_at

    def stored(self, stored: Stored) -> None:
        """A batch was committed."""
        self._results.update(stored.results)
        self._reasons.update(stored.reasons)
        self.committed_at_ms = self._clock.now_ms()
        self._moved_at = self._clock.monotonic()

    def lag(self) -> dict[int, int]:
        """Records of each partition that are not stored yet, as far as the last fetch saw."""
        found = {}
        for partition, following in dict(self.next).items():
            end = self._highwater(partition)
            found[partition] = 0 if end is None else max(0, end - following)
        return found

    def _behind(self) -> bool:
        return any(self.lag().values())

    def problems(self) -> list[str]:
        """Why this is not healthy; a restart may mend it."""
        idle = self._clock.monotonic() - self._beat_at
        return [f"the loop has not come round for {idle:.0f} s"] if idle > STUCK_S else []

    def waits_for(self) -> list[str]:
        """Why this is not ready: what is not stored, and what stands against it."""
        reasons = self.problems()
        reasons += [away for away in (self.away, self.kafka_away) if away]
        if not self.joined:
            reasons.append("it has no partitions yet")
        since = self._clock.monotonic() - self._moved_at
        if since > STUCK_S:
            reasons.append(f"records wait, and none was stored for {since:.0f} s")
        return reasons

    def routes(self) -> Routes:
        """The pages by path."""
        return {
            "/metrics": lambda: Response(200, CONTENT_TYPE, self.render()),
            "/-/healthy": lambda: progress_page("healthy", self.problems()),
            "/-/ready": lambda: progress_page("ready", self.waits_for()),
        }

    def render(self) -> bytes:
        """The page of metrics."""
        page = Page((*SINK_METRICS, pipeline.TARGETS_VALID, pipeline.BUILD_INFO))
        page.add(names.SINK_DATABASE_UP, "", int(not self.away))
        for partition, lag in self.lag().items():
            page.add(names.SINK_LAG, labels(partition=partition), lag)
        for partition, following in dict(self.next).items():
            page.add(names.SINK_NEXT_OFFSET, labels(partition=partition), following)
        if self.committed_at_ms is not None:
            page.add(names.SINK_LAST_COMMIT, "", self.committed_at_ms)
        for result, number in dict(self._results).items():
            page.add(names.SINK_RECORDS, labels(result=result), number)
        for reason, number in dict(self._reasons).items():
            page.add(names.SINK_DEAD_LETTERS, labels(reason=reason), number)
        page.add(pipeline.TARGETS_VALID, "", int(not self.targets_error))
        built = labels(component="sink", version=__version__, python=platform.python_version())
        page.add(pipeline.BUILD_INFO, built, 1)
        return page.render() + generate_latest(self._process)
