"""The present of all units as a worker's metrics tell it: what `loket status` and the demo show."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from msgspec import UNSET, Struct
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loket.agreement.metrics import figures_of
from loket.catalogue.pipeline import EVALUATED_AT, LAG, SECONDS_BEHIND
from loket.catalogue.units import SERVICE_INFO, UNIT_INFO
from loket.domain.levels import share
from loket.domain.steps import EMPTY_SERVICE
from loket.domain.summary import Flat, add_up, employee_figures
from loket.harmless import harmless
from loket.scrape import Sample
from loket.wire.figures import LiveFigures

__all__ = ["Board", "Line", "Person", "board_of", "render"]

NOTHING: Final = "–"


class Line(Struct, frozen=True):
    """One service of a unit, or (`service` empty) the unit as a whole. `level`, `served` and `answered` are today's."""

    unit: str
    service: str
    waiting: int
    over_target: int | None
    oldest_wait_s: float | None
    level: float | None
    answered: int
    served: int


class Person(Struct, frozen=True):
    """What one employee has done since the state began. `occupancy`: serving / staffed; None where no session was."""

    unit: str
    employee: str
    served: int
    services: int
    handed_on: int
    service_s: float
    occupancy: float | None = None
    call_gap_s: float | None = None


class Board(Struct, frozen=True):
    """What one scrape tells. `now_ms` is None where nothing was evaluated yet; `behind_s` is the worst of all units."""

    now_ms: int | None
    lines: list[Line]
    people: list[Person]
    lag: int
    behind_s: float
    names: dict[tuple[str, str], str]

    def name(self, unit: str, service: str = "") -> str:
        """The English name of a unit or service, else its id."""
        return self.names.get((unit, service)) or service or unit


def board_of(samples: Iterable[Sample]) -> Board:
    """The board of the samples of `/metrics`, and of `/metrics/employees` where people are to be shown."""
    samples = list(samples)
    evaluated = [sample.value * EVALUATED_AT.parts for sample in samples if sample.name == EVALUATED_AT.name]
    now = round(max(evaluated)) if evaluated else None
    figures = figures_of(samples)
    return Board(
        now_ms=now,
        lines=[line for unit in sorted(figures) for line in _lines(unit, figures[unit], now or 0)],
        people=[
            _person(unit, name, flat)
            for unit in sorted(figures)
            for name, flat in sorted(figures[unit].employees.items())
        ],
        lag=sum(int(sample.value) for sample in samples if sample.name == LAG.name),
        behind_s=max((sample.value for sample in samples if sample.name == SECONDS_BEHIND.name), default=0.0),
        names={
            (sample.labels["unit"], sample.labels.get("service", "")): sample.labels.get("name_en", "")
            for sample in samples
            if sample.name in (UNIT_INFO.name, SERVICE_INFO.name)
        },
    )


def _lines(unit: str, figures: LiveFigures, now: int) -> Iterable[Line]:
    judging = set(figures.judging)
    yield _line(unit, "", add_up(figures.services.values()), add_up(figures.day.values()), now, bool(judging))
    for service in sorted(figures.services):
        if service != EMPTY_SERVICE:
            yield _line(unit, service, figures.services[service], figures.day.get(service, {}), now, service in judging)


def _line(unit: str, service: str, present: Flat, day: Flat, now: int, judges: bool) -> Line:
    oldest = present.get("oldest_wait_start")
    judged = day.get("judged", 0)
    return Line(
        unit=unit,
        service=service,
        waiting=present.get("waiting", 0),
        over_target=present.get("over_target", 0) if judges else None,
        oldest_wait_s=None if oldest is None else max(0, now - oldest) / 1000,
        level=share(judged - day.get("breached", 0), judged),
        answered=sum(amount for figure, amount in day.items() if figure.startswith("waits_answered/")),
        served=day.get("served", 0),
    )


def _person(unit: str, name: str, flat: Flat) -> Person:
    row = employee_figures(unit, name, flat)
    return Person(
        unit,
        name,
        row.served,
        row.services,
        row.handed_on,
        row.service_s_sum,
        share(flat.get("serving_ms", 0), flat.get("staffed_ms", 0)),
        None if row.call_gap_s_sum is UNSET else row.call_gap_s_sum,
    )


def render(board: Board, *, people: bool = False) -> RenderableType:
    """The board as tables."""
    parts: list[RenderableType] = [_queues(board)]
    if people and board.people:
        parts.append(_people(board))
    return Group(*parts)


def _queues(board: Board) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("unit and service", overflow="fold")
    for column in ("\nwaiting", "oldest\nwait", "over\ntarget", "level\ntoday", "called\ntoday", "served\ntoday"):
        table.add_column(column, justify="right", no_wrap=True)
    for line in board.lines:
        whole = not line.service
        name = board.name(line.unit) if whole else f"  {board.name(line.unit, line.service)}"
        table.add_row(
            Text(harmless(name)),
            str(line.waiting),
            NOTHING if line.oldest_wait_s is None else _minutes(line.oldest_wait_s),
            _over(line.over_target),
            NOTHING if line.level is None else f"{100 * line.level:.1f} %",
            f"{line.answered:,}",
            f"{line.served:,}",
            style="bold" if whole else "",
        )
    return table


def _people(board: Board) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("employee", overflow="fold")
    for column in ("\nserved", "\nservices", "handed\non", "service\n(min:s)", "occu-\npancy", "call\ngap"):
        table.add_column(column, justify="right", no_wrap=True)
    for unit, people in groupby(board.people, key=lambda person: person.unit):
        table.add_row(Text(harmless(board.name(unit))), style="bold")
        for person in people:
            table.add_row(
                Text(f"  {harmless(person.employee)}"),
                f"{person.served:,}",
                f"{person.services:,}",
                f"{person.handed_on:,}",
                _minutes(person.service_s),
                NOTHING if person.occupancy is None else f"{100 * person.occupancy:.0f} %",
                NOTHING if person.call_gap_s is None else _minutes(person.call_gap_s),
            )
    return table


def _over(people: int | None) -> Text:
    if people is None:
        return Text(NOTHING)
    return Text(f"{people:,}", style="bold red" if people else "")


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
