"""What a service manager hears: ready once, alive only by progress, and never anything that harms the process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from loket.supervision import Supervision, supervision
from loket.testing.clock import FrozenClock
from support.manager import Manager

NOW = 1_769_803_200_000


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path if request.param == "path" else None)
    yield made
    made.close()


def made(manager: Manager, clock: FrozenClock, **environment: str) -> Supervision:
    return supervision(manager.environment | environment, clock)


def test_it_is_ready_once_and_alive_while_it_gets_on(manager: Manager) -> None:
    clock = FrozenClock(NOW)
    told = made(manager, clock, WATCHDOG_USEC="40000000", WATCHDOG_PID=str(os.getpid()))
    told.turn([], ["it has no partitions yet"], "")
    assert manager.heard() == ["EXTEND_TIMEOUT_USEC=60000000", "STATUS=it has no partitions yet"]
    told.turn([], [], "stores 4 partitions")
    assert manager.heard() == ["READY=1 STATUS=stores 4 partitions", "WATCHDOG=1"]
    told.turn([], [], "stores 4 partitions")
    assert manager.heard() == []
    clock.advance(seconds=10)
    told.turn([], ["the broker is away"], "stores 4 partitions")  # waiting for others is no problem of its own
    assert manager.heard() == ["WATCHDOG=1", "STATUS=the broker is away"]
    clock.advance(seconds=10)
    told.turn([], [], "stores 4 partitions")
    assert manager.heard() == ["WATCHDOG=1", "STATUS=stores 4 partitions"]


def test_what_does_not_get_on_is_not_said_to_be_alive(manager: Manager) -> None:
    clock = FrozenClock(NOW)
    told = made(manager, clock, WATCHDOG_USEC="40000000")
    told.turn(["it stands"], ["it stands"], "")
    assert manager.heard() == ["STATUS=it stands"]
    told.turn([], [], "reads")
    manager.heard()
    for _ in range(10):
        clock.advance(seconds=10)
        told.turn(["it stands"], ["it stands"], "reads")
    assert manager.heard() == ["STATUS=it stands"]
    told.turn([], [], "reads")
    assert "WATCHDOG=1" in manager.heard()


def test_without_a_watchdog_of_ours_there_are_no_signs_of_life(manager: Manager) -> None:
    environments: tuple[dict[str, str], ...] = (
        {},
        {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "soon"},
    )
    for environment in environments:
        clock = FrozenClock(NOW)
        told = made(manager, clock, **environment)
        for _ in range(5):
            told.turn([], [], "reads")
            clock.advance(seconds=60)
        assert manager.heard() == ["READY=1 STATUS=reads"]


def test_targets_read_anew_are_a_reload_of_what_was_ready(manager: Manager) -> None:
    told = made(manager, FrozenClock(NOW))
    told.reloaded()
    assert manager.heard() == []
    told.turn([], [], "reads")
    manager.heard()
    told.reloaded()
    reloading, ready = manager.heard()
    assert reloading.startswith("RELOADING=1 MONOTONIC_USEC=")
    assert ready == "READY=1"


def test_whoever_stops_says_so_and_nothing_afterwards_but_why_it_ended(manager: Manager) -> None:
    told = made(manager, FrozenClock(NOW), WATCHDOG_USEC="1000000")
    told.turn([], [], "reads")
    manager.heard()
    told.stopping()
    told.stopping()
    told.turn([], [], "reads")
    told.reloaded()
    assert manager.heard() == ["STOPPING=1 STATUS=finishing what is under way"]
    told.ended("the database refuses\nREADY=1 \x1b[31m" + "x" * 1_000)
    (status,) = manager.heard()
    assert status.startswith("STATUS=the database refuses\\nREADY=1 \\x1b[31mxxx")
    assert len(status) < 500


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "@", "/nowhere/at/all"])
def test_a_manager_that_cannot_be_told_harms_nothing(address: str) -> None:
    told = supervision({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"}, FrozenClock(NOW))
    told.turn([], [], "reads")
    told.reloaded()
    told.stopping()
    told.ended("")


def test_a_manager_that_does_not_listen_stops_nobody(manager: Manager) -> None:
    clock = FrozenClock(NOW)
    told = made(manager, clock, WATCHDOG_USEC="1000000")
    for number in range(5_000):  # more than its socket holds
        told.turn([], [], f"reads {number}")
        clock.advance(seconds=10)
    manager.heard()
    clock.advance(seconds=10)
    told.turn([], [], "reads on")
    assert manager.heard() == ["WATCHDOG=1", "STATUS=reads on"]
