"""The open leg of a straight ticket (`loket.domain.straight`), told by its one, two or three steps.

What the fold would find, for a tenth of the price: whoever looks at all open tickets of a country looks at a million.
"""

from __future__ import annotations

from loket.domain.leg import Credit, Leg, Stretch, Work
from loket.domain.steps import EMPTY_SERVICE, Ticket

__all__ = ["open_leg"]


def open_leg(ticket: Ticket) -> Leg:
    """The leg of a ticket that has gone straight so far: issued, perhaps called, perhaps started."""
    steps = ticket.steps
    issue = steps[0]
    service = issue.service or EMPTY_SERVICE
    stretch = Stretch(issue.at, issue.at, service=service)
    leg = Leg(
        ticket.day,
        service=service,
        issued_at=issue.at,
        wait_from=issue.at,
        target_ms=issue.target_ms,
        short_ms=issue.short_ms,
        stretches=[stretch],
        visit=True,
        last_at=steps[-1].at,
        first_at=issue.at,
    )
    if len(steps) == 1:
        return leg
    call = steps[1]
    leg.first_called_at = stretch.called_at = call.at
    stretch.called, stretch.caller = True, call.employee
    stretch.wait_ms = call.at - issue.at
    if len(steps) == 2:
        if call.employee is not None:
            stretch.work.append(Work(call.employee, "way", call.at, None))
        return leg
    start = steps[2]
    stretch.started_at, stretch.server = start.at, start.employee
    stretch.service = start.service or service
    stretch.way_ms = start.at - call.at
    if call.employee is not None:
        own = call.employee == start.employee
        if own:
            stretch.credits.append(Credit(call.employee, "way", stretch.way_ms))
        stretch.work.append(Work(call.employee, "way" if own else "call", call.at, start.at))
    if start.employee is not None:
        stretch.work.append(Work(start.employee, "service", start.at, None))
    return leg
