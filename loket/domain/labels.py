"""Which names of a unit have a label of their own in figures, and which are tallied as `other` (events.md)."""

from __future__ import annotations

from loket.domain.state import UnitState
from loket.domain.steps import Ticket


def give_labels(state: UnitState, ticket: Ticket, service: str | None, employee: str | None) -> None:
    """Give new names a label while the budget lasts: names of `targets.yaml` first, then first come."""
    policy = state.policy
    if service is not None and service not in state.services:
        unplanned = sum(name not in policy.services for name in state.services)
        if service in policy.services or unplanned + len(policy.services) < policy.budget.services:
            state.services[service] = None
        elif service not in ticket.other_services:
            ticket.other_services.append(service)
    if employee is not None:
        if employee in state.employees or len(state.employees) < policy.budget.employees:
            state.employees[employee] = state.admission.received
        elif employee not in ticket.other_employees:
            ticket.other_employees.append(employee)
