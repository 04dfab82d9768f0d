"""`loket report`: a unit and a period as a table, a file, or one page for the head of the office."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["register"]

Unit = Annotated[str, typer.Option(help="The unit's id.", show_default=False)]
From = Annotated[
    str | None, typer.Option("--from", help="First service day: 2026-01-31, today, yesterday.", show_default=False)
]
To = Annotated[str | None, typer.Option(help="Last service day, included; as --from, or today.", show_default=False)]
By = Annotated[
    Literal["day", "week", "month", "hour"] | None,
    typer.Option(help="A row for each of them, by arrival; hour is the hour of the day.", show_default=False),
]
Service = Annotated[str | None, typer.Option(help="Only this service, in tables.", show_default=False)]
Employees = Annotated[
    Literal["summary", "each", "none"],
    typer.Option(help="How figures lie over five people or more, each person by name, or neither."),
]
Daily = Annotated[bool, typer.Option("--daily", help="One day on one page, for the head of the office.")]
Unusual = Annotated[
    bool, typer.Option("--unusual", help="What is worth a question, of the days or the last whole week; no proof.")
]
Language = Annotated[Literal["id", "en"], typer.Option(help="Of tables and pages.")]
Format = Annotated[
    Literal["table", "csv", "json", "xlsx", "md", "html"] | None,
    typer.Option(help="By the name of --output, or else a table.", show_default=False),
]
Table = Annotated[
    Literal["visits", "requests", "satisfaction"] | None,
    typer.Option(help="What a CSV has rows of; what the unit has by default, visits first.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
Output = Annotated[Path | None, typer.Option(help="Write to this file.", show_default=False)]
Config = Annotated[Path | None, typer.Option(help="A file with settings.", show_default=False)]
Database = Annotated[str | None, typer.Option(help="SQLAlchemy's URL of the record.", show_default=False)]
Targets = Annotated[str | None, typer.Option(help="The file with units, services and targets.", show_default=False)]
Clock = Annotated[str | None, typer.Option(help="service, or event: now is the newest event.", show_default=False)]
Now = Annotated[
    str | None, typer.Option(help="The instant of the figures; the present by default.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    unit: Unit,
    first: From = None,
    to: To = None,
    by: By = None,
    service: Service = None,
    employees: Employees = "summary",
    daily: Daily = False,
    unusual: Unusual = False,
    language: Language = "en",
    format: Format = None,
    table: Table = None,
    json: Json = False,
    output: Output = None,
    config: Config = None,
    database: Database = None,
    targets: Targets = None,
    clock: Clock = None,
    now: Now = None,
) -> None:
    """Report a unit's waits, service levels, people and requests from the record, by the day of arrival or submission.

    Exit status 1: the record has nothing of the period; 2: the unit, a day or an option is wrong.
    """
    from loket_consumers.reports.asking import Asked, answer, answer_unusual
    from loket_consumers.reports.output import format_of, write, write_unusual

    options = {"database": database, "targets": targets, "clock": clock, "now": now}
    chosen = format_of("json" if json else format, output, daily=daily)
    asked = Asked(unit, first, to, by, service, employees, daily)
    if unusual:
        write_unusual(answer_unusual(asked, config, options), chosen, output, language)
    else:
        write(answer(asked, config, options), chosen, output, language, table)
