"""Variables of the dashboards: the data sources, the unit by its name, and its services."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableRefresh, VariableSort

from loket_dashboards.language import Text
from loket_dashboards.page import Page
from loket_dashboards.parts import EMPLOYEES, PROMETHEUS, RECORD

__all__ = ["BOARDS", "employee", "employee_source", "record", "services", "source", "unit", "unit_of_record"]

CLASSIC: Final = 5
"""Grafana's number for a variable's query that is written and not put together in its editor."""

BOARDS: Final = {
    "city": Text("Kota", "City"),
    "hall": Text("Ruang tunggu", "Hall"),
    "unit": Text("Unit", "Unit"),
    "employees": Text("Pegawai", "Employees"),
    "employee": Text("Pegawai perorangan", "Single employee"),
    "requests": Text("Permohonan", "Requests"),
    "pipeline": Text("Jalur data", "Pipeline"),
    "history": Text("Riwayat", "History"),
}
"""The dashboards by the end of their uid."""


def source(page: Page) -> None:
    """Which Prometheus."""
    page.variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))


def employee_source(page: Page) -> None:
    """Which Prometheus has the employees: a city may keep one apart, with its own rights."""
    label = page.say(Text("Prometheus pegawai", "Prometheus of employees"))
    page.variable(DatasourceVariable("employees").label(label).type("prometheus"))


def record(page: Page) -> None:
    """Which PostgreSQL has the record."""
    label = page.say(Text("Catatan (PostgreSQL)", "Record (PostgreSQL)"))
    page.variable(DatasourceVariable("record").label(label).type("grafana-postgresql-datasource"))


def unit(page: Page) -> None:
    """The unit, chosen by its name in the page's language.

    Grafana shows a series as `{label="value",…} value time`, with labels in alphabetical order and nothing escaped, so
    a name ends where the next label begins, whatever is in it.
    """
    name = f"name_{page.language}"
    page.variable(
        QueryVariable("unit")
        .label("Unit")
        .datasource(PROMETHEUS)
        .query({"query": f"query_result(max by ({name}, unit) (loket_unit_info))", "refId": "unit", "qryType": CLASSIC})
        .regex(f'/{name}="(?<text>.*)",unit="(?<value>[^"]+)"/')
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )


def services(page: Page) -> None:
    """The services of the unit, all at first."""
    name = f"name_{page.language}"
    page.variable(
        QueryVariable("service")
        .label(page.say(Text("Layanan", "Service")))
        .datasource(PROMETHEUS)
        .query(
            {
                "query": f'query_result(max by ({name}, service) (loket_service_info{{unit="$unit"}}))',
                "refId": "service",
                "qryType": CLASSIC,
            }
        )
        .regex(f'/{name}="(?<text>.*)",service="(?<value>[^"]+)"/')
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )


def employee(page: Page) -> None:
    """One employee of the unit, by the pseudonym."""
    page.variable(
        QueryVariable("employee")
        .label(page.say(Text("Pegawai", "Employee")))
        .datasource(EMPLOYEES)
        .query(
            {
                "query": 'label_values(loket_day_employee_served{unit="$unit"}, employee)',
                "refId": "employee",
                "qryType": CLASSIC,
            }
        )
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )


def unit_of_record(page: Page) -> None:
    """A unit that the record knows."""
    page.variable(
        QueryVariable("unit")
        .label("Unit")
        .datasource(RECORD)
        .query("SELECT DISTINCT unit FROM legs ORDER BY unit")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )
