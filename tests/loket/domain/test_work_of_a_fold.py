"""What a ticket of 500 steps costs: a fold's work grows with the steps, not with their square, whatever a device sends.

Counted are the instructions that Python executes in the domain, as those are the same on a slow machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from loket.domain.days import service_days
from loket.domain.events import Event, identity_hash
from loket.domain.legs import fold
from loket.domain.policy import MAX_STEPS
from loket.domain.steps import Step, Ticket, step_of
from loket.testing.builders import Office, unit_policy

o = Office()
POLICY = unit_policy({"s": 300})
NINE = int(o.at("09:00"))

Device = Callable[[int], list[Event]]


def turns(*makers: Callable[..., Event], apart: int = 1_000, **of: Any) -> Device:
    """A device that tells these one after the other, again and again, after an issue."""

    def told(number: int) -> list[Event]:
        first: list[Event] = [o.issued("A1", at=NINE)]
        return first + [makers[i % len(makers)]("A1", at=NINE + i * apart, **of) for i in range(1, number)]

    return told


def of_many_units(maker: Callable[..., Event]) -> Device:
    return lambda number: [maker("A1", at=NINE + i * 1_000, from_unit=f"unit-{i}") for i in range(number)]


def service_with_holds(number: int) -> list[Event]:
    return [o.started("A1", at=NINE), *turns(o.held, o.resumed)(number - 1)]


def after_the_end(number: int) -> list[Event]:
    """Calls of somebody who has left, within the five minutes in which another issue may follow."""
    ended: list[Event] = [o.issued("A1", at=NINE), o.completed("A1", at=NINE + 1)]
    return ended + [o.called("A1", at=NINE + 2_000 + i) for i in range(number - 2)]


DEVICES: dict[str, Device] = {
    "calls again and again": turns(o.recalled),
    "all at one instant": lambda n: [o.recalled("A1", at=NINE, employee=f"e{i}") for i in range(n)],
    "holds without an end": service_with_holds,
    "to and fro": turns(o.called, o.requeued),
    "a number for everybody": turns(o.completed, o.issued),
    "sent away and back": turns(o.transferred, o.issued),
    "calls after the end": after_the_end,
    "issues of many units": of_many_units(o.issued),
    "calls of many units": of_many_units(o.called),
    "one service more": turns(o.added, service="s", apart=0),
    "everything": turns(o.called, o.started, o.held, o.transferred, o.issued, o.resumed, o.requeued, o.no_show),
}


def steps_of(told: list[Event]) -> list[Step]:
    ticket = Ticket("A1", service_days(POLICY).day(NINE))
    for event in told:
        step = step_of(event, identity_hash(event.source, event.id), ticket.day, POLICY)
        assert step is not None
        ticket.add(step)
    return ticket.steps


def instructions(work: Callable[[], object]) -> int:
    """How many instructions of Python a piece of work takes."""
    counted = 0

    def count(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal counted
        if event == "call":
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        elif event == "opcode":
            counted += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


def work_of(device: Device, number: int, *, never: bool) -> int:
    steps = steps_of(device(number))
    day = service_days(POLICY).day(NINE)
    return instructions(lambda: fold(steps, day, service_days(POLICY), never=never))


@pytest.mark.parametrize("never", [False, True], ids=["days", "never"])
@pytest.mark.parametrize("device", DEVICES)
def test_twice_the_steps_are_about_twice_the_work(device: str, never: bool) -> None:
    half = work_of(DEVICES[device], MAX_STEPS // 2, never=never)
    whole = work_of(DEVICES[device], MAX_STEPS, never=never)
    assert whole < 3 * half
    assert whole < 1_500 * MAX_STEPS
