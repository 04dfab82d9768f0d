"""A running worker follows its targets, and says what is wrong with them."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from loket.domain.policy import HOUR
from loket.targets import TargetsFile
from loket.testing.clock import FrozenClock
from loket_streams.following import Following
from loket_streams.partitions import Partitions
from loket_streams.tallies import Tallies
from loket_streams.worker import NO_SOURCE, Worker
from support.events import NOW

RIGHT = "units:\n  a: {short_seconds: 5}\n"


class Desk:
    """An operator, the file, and the worker that follows it."""

    def __init__(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        self._path = path
        self._caplog = caplog
        self._edits = 0
        self.edit(RIGHT)
        targets = TargetsFile(path)
        clock = FrozenClock(NOW)
        self.worker = Worker(
            Partitions("loket.events", targets.policy),
            Tallies(),
            NO_SOURCE,
            clock,
            event_clock=False,
            fixed_now_ms=None,
            checkpoint_interval_s=5,
        )
        self.following = Following(targets, clock, self.worker)

    def edit(self, text: str) -> None:
        self._path.write_text(text, encoding="utf-8")
        self._edits += 1
        os.utime(self._path, ns=(self._edits * 10**9, self._edits * 10**9))

    def told(self) -> list[str]:
        """What is said at the next look, by the levels of its lines."""
        self._caplog.clear()
        self.following.look()
        return [f"{line.levelname} {line.getMessage()}" for line in self._caplog.records]


@pytest.fixture
def desk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Desk:
    caplog.set_level(logging.INFO, "loket.streams")
    return Desk(tmp_path / "targets.yaml", caplog)


def test_what_is_right_comes_in_force_for_every_unit(desk: Desk) -> None:
    desk.edit(RIGHT.replace("}", ", late_hours: 3}"))
    assert desk.told() == ["INFO the targets were read anew and are in force"]
    assert desk.worker.partitions.policy.unit("a").late_ms == 3 * HOUR
    assert desk.told() == []


def test_each_fault_is_told_once_and_changes_nothing(desk: Desk) -> None:
    before = desk.worker.partitions.policy
    desk.edit("units:\n  a: {short_secs: 5}\n")
    (first,) = desk.told()
    assert first.startswith("ERROR the targets in force stay: ")
    assert "line 2, column 7" in first
    assert desk.told() == []
    assert not desk.worker.targets_valid

    desk.edit(RIGHT.replace("5", "6"))  # who mends one fault and makes another hears of that too
    (second,) = desk.told()
    assert "`short_seconds` changes" in second
    assert not desk.worker.targets_valid
    assert desk.worker.partitions.policy == before

    desk.edit(RIGHT)
    assert desk.told() == ["INFO the targets' file says again what is in force"]
    assert desk.worker.targets_valid
