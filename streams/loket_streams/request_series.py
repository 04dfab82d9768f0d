"""The series of a service's requests and of citizens' answers on a page."""

from __future__ import annotations

from typing import Final

from loket.catalogue import requests as names
from loket.catalogue.units import CORRECTIONS
from loket.domain.requests import RequestPresent
from loket.domain.summary import flat_requests
from loket.exposition import Page, labels
from loket_streams.rows import Row
from loket_streams.series import Durations, Line, line_of, write_lines

__all__ = ["RequestSeries"]

_FEEDBACK: Final = tuple(figure for figure, _ in names.FEEDBACK.figures())


class RequestSeries:
    """Writes the requests and answers of services to a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._counts: list[Line] = []
        self._corrections: list[Line] = []
        for metric in names.REQUEST_EVENTS:
            ((name, _, _),) = metric.corrections()
            for figure, value in metric.figures():
                more = {} if value is None else {metric.labels[-1]: value}
                self._counts.append(line_of(page, metric, figure, labels(**more)))
                self._corrections.append(line_of(page, CORRECTIONS, figure, labels(figure=name, **more)))
        self._durations = [Durations(page, metric, always=True) for metric in names.REQUEST_DURATIONS]
        gauges = (*names.REQUEST_PRESENT, *names.REQUEST_CUMULATIVE)
        self._always = [line_of(page, metric, metric.figure, "") for metric in gauges if not metric.needs_target]
        self._judging = [line_of(page, metric, metric.figure, "") for metric in gauges if metric.needs_target]
        self._feedback = [
            line_of(page, names.FEEDBACK, figure, labels(score=value or ""))
            for figure, value in names.FEEDBACK.figures()
        ]

    def write(self, unit: str, row: Row) -> None:
        """Write what a service has of them."""
        text = labels(unit=unit, service=row.service)
        counts = row.tally.counts
        if any(figure in counts.total for figure in _FEEDBACK):
            write_lines(self._feedback, text, counts.total)
        if row.requests is None:
            return
        write_lines(self._counts, text, counts.total)
        write_lines(self._corrections, text, counts.corrected)
        for durations in self._durations:
            durations.write(text, row.tally.histograms)
        self._write_present(text, row, row.requests)

    def _write_present(self, text: str, row: Row, present: RequestPresent) -> None:
        flat = flat_requests(present)
        write_lines(self._always, text, flat)
        policy, target = row.policy, None
        if policy is not None:
            target = policy.turnaround(row.day.day)
        if present.judged or (policy is not None and policy.turnarounds):
            write_lines(self._judging, text, flat)
        if present.oldest_start is not None:
            self._page.add(names.OLDEST_REQUEST_START, text, present.oldest_start)
        if target is not None:
            self._page.add(names.REQUEST_TARGET_SECONDS, text, target.within_ms)
            self._page.add(names.REQUEST_TARGET_RATIO, text, target.objective)
