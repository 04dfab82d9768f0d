"""Employees: distributions over a unit from five people on, and, in a folder of its own, the series of one person.

Nothing ranks anybody. The wait belongs to the unit and is nowhere shown as an employee's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loket_dashboards import figures, variables
from loket_dashboards.language import Language, Text
from loket_dashboards.page import Page
from loket_dashboards.parts import EMPLOYEES, Line
from loket_dashboards.promql import UNIT, by, grown, select

__all__ = ["FEWEST", "employee", "employees"]

FEWEST: Final = 5
"""From so many people on a distribution tells nothing of one of them alone."""

ONE = f'{UNIT},employee="$employee"'


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure of each employee, `amount` / `cases` times `factor`, and how many cases stand behind it."""

    title: Text
    description: Text
    unit: str
    amount: str
    cases: str
    counted: str
    counted_title: Text
    factor: int = 1
    counted_unit: str = "short"

    def each(self) -> str:
        """The figure for each employee; who has no case has none."""
        value = figures.share(self.amount, self.cases, "unit, employee")
        return value if self.factor == 1 else f"{self.factor} * ({value})"


def employees(language: Language) -> Page:
    """The distributions over a unit, in a language."""
    page = Page(
        language,
        "employees",
        Text("Loket: Pegawai", "Loket: Employees"),
        Text(
            "Sebaran atas satu unit, mulai lima orang; tanpa peringkat dan tanpa nama.",
            "Distributions over one unit, from five people on; no ranking and no names.",
        ),
        refresh="1m",
        source=EMPLOYEES,
    )
    variables.source(page)
    variables.employee_source(page)
    variables.unit(page)
    page.links(("unit", variables.BOARDS["unit"]))
    page.note(_NOTE)
    _data(page, UNIT)
    page.number(
        Text("Bertugas hari ini", "On duty today"),
        Text(
            "Orang yang punya sesi hari ini. Di bawah lima orang tidak ada sebaran yang ditampilkan.",
            "People who had a session today. Below five no distribution is shown.",
        ),
        _people(),
        decimals=0,
        height=8,
    )
    page.number(
        Text("Jam bertugas hari ini", "Staffed hours today"),
        Text("Waktu dalam sesi, tanpa jeda.", "Time in session, less pauses."),
        by("unit", "loket_day_employee_staffed_seconds", UNIT),
        unit="dtdurations",
        height=8,
    )
    for number, figure in enumerate(_figures(UNIT)):
        if number:
            page.row(figure.title)
        _distribution(page, figure, width=12 if number == 0 else 20)
    return page


def employee(language: Language) -> Page:
    """The series of one employee, in a language; for a folder with rights of its own."""
    page = Page(
        language,
        "employee",
        Text("Loket: Pegawai perorangan", "Loket: Single employee"),
        Text(
            "Satu pegawai, hanya untuk yang berhak (folder tersendiri). Bukan penilaian; lihat jumlah kasus.",
            "One employee, for those with the right to see it (a folder of its own). No appraisal; look at the number "
            "of cases.",
        ),
        refresh="1m",
        source=EMPLOYEES,
    )
    variables.source(page)
    variables.employee_source(page)
    variables.unit(page)
    variables.employee(page)
    page.links(("employees", variables.BOARDS["employees"]))
    page.note(_NOTE)
    _data(page, ONE)
    for figure in _figures(ONE):
        page.row(figure.title)
        page.lines(
            figure.title,
            figure.description,
            [Line(figure.each(), "{{employee}}")],
            unit=figure.unit,
            width=20,
        )
        _count(page, figure)
    return page


_WORDS: Final = {
    figures.LIVE: figures.DATA_WORDS[figures.LIVE],
    figures.NO_UNIT: (Text("○ Hari ini belum ada yang bekerja", "○ Nobody has worked today yet"), "blue"),
    figures.AWAY: (Text("✖ Angka pegawai tidak terjangkau", "✖ Employees' figures are away"), "red"),
}


def _data(page: Page, matchers: str) -> None:
    """Why there is nothing, where there is nothing: whoever has no rights to this Prometheus sees it too."""
    nobody = f"absent({select('loket_day_employee_served', matchers)})"
    page.number(
        Text("Data", "Data"),
        Text("Apakah ada angka pegawai unit ini; bila tidak, mengapa.", "Whether the unit has figures; if not, why."),
        f'({figures.AWAY} * absent(up{{job="loket-employees"}} == 1)) or on () ({figures.NO_UNIT} * {nobody}) '
        f"or on () vector({figures.LIVE})",
        words=_WORDS,
        width=24,
        height=3,
    )


_NOTE = Text(
    "Waktu tunggu adalah milik unit, bukan pegawai. Angka di sini dipengaruhi jenis layanan dan kasusnya, dan tanpa "
    "jumlah kasus tidak berarti apa-apa. Keputusan tentang orang tidak dibuat dari layar ini.",
    "The wait is the unit's, not an employee's. Figures here depend on the services and cases somebody got, and mean "
    "nothing without the number of cases. No decision about a person is made from this page.",
)


def _people() -> str:
    return f"count by (unit) ({by('unit, employee', 'loket_day_employee_staffed_seconds', UNIT)} > 0)"


def _figures(matchers: str) -> Sequence[_Figure]:
    labels, during = "unit, employee", "1h"
    staffed = by(labels, "loket_day_employee_staffed_seconds", matchers)
    services = by(labels, "loket_day_employee_services", matchers)
    gaps = by(labels, "loket_day_employee_call_gaps", matchers)
    served = grown(labels, "loket_employee_service_seconds_count", during, matchers)
    holds = grown(labels, "loket_employee_hold_seconds_count", during, matchers)
    return (
        _Figure(
            Text("Layanan per jam bertugas", "Services for each staffed hour"),
            Text("Hari ini: layanan dibagi jam dalam sesi tanpa jeda.", "Today: services over hours in session."),
            "short",
            services,
            staffed,
            services,
            Text("Layanan", "Services"),
            factor=3600,
        ),
        _Figure(
            Text("Waktu layanan", "Service time"),
            Text("Rata-rata satu jam terakhir, tanpa penahanan.", "The mean of the last hour, without holds."),
            "s",
            grown(labels, "loket_employee_service_seconds_sum", during, matchers),
            served,
            served,
            Text("Layanan selesai", "Services ended"),
        ),
        _Figure(
            Text("Jeda panggil", "Call gap"),
            Text(
                "Hari ini: dari bebas sampai panggilan berikutnya selagi ada yang menunggu yang dapat dilayaninya; "
                "bagian tunggu yang ditentukan kecepatannya sendiri.",
                "Today: from being free to the next call while somebody waits whom the session may serve; the part of "
                "the wait that the own pace decides.",
            ),
            "s",
            by(labels, "loket_day_employee_call_gap_seconds", matchers),
            gaps,
            gaps,
            Text("Jeda", "Gaps"),
        ),
        _Figure(
            Text("Penahanan", "Holds"),
            Text("Rata-rata lama penahanan satu jam terakhir.", "The mean length of the holds of the last hour."),
            "s",
            grown(labels, "loket_employee_hold_seconds_sum", during, matchers),
            holds,
            holds,
            Text("Penahanan", "Holds"),
        ),
        _Figure(
            Text("Bagian waktu melayani", "Occupancy"),
            Text("Hari ini: waktu melayani dibagi waktu bertugas.", "Today: time serving over time staffed."),
            "percentunit",
            by(labels, "loket_day_employee_serving_seconds", matchers),
            staffed,
            staffed,
            Text("Waktu bertugas", "Time staffed"),
            counted_unit="dtdurations",
        ),
    )


def _distribution(page: Page, figure: _Figure, *, width: int) -> None:
    enough = f"on (unit) ({_people()} >= {FEWEST})"
    page.lines(
        figure.title,
        figure.description,
        [
            Line(f"quantile by (unit) ({q}, {figure.each()}) and {enough}", name, dashed=q != 0.5)
            for q, name in (
                (0.75, Text("seperempat di atas", "a quarter above")),
                (0.5, Text("median", "median")),
                (0.25, Text("seperempat di bawah", "a quarter below")),
            )
        ],
        unit=figure.unit,
        width=width,
    )
    _count(page, figure)


def _count(page: Page, figure: _Figure) -> None:
    page.number(
        figure.counted_title,
        Text("Jumlah kasus di belakang angka di sebelah.", "The number of cases behind the figure beside."),
        f"sum by (unit) ({figure.counted})",
        unit=figure.counted_unit,
        decimals=0,
        height=8,
    )
