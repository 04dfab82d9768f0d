"""The hour of arrival of each leg, and views for questions: waits, service levels by period, employees by day.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

from loket.domain.periods import local_hour

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_QUARTER_MS = 900_000
"""Zones have offsets of whole quarters of an hour."""

_NOW = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS BIGINT)",
    "postgresql": "CAST(extract(epoch FROM now()) * 1000 AS BIGINT)",
}
"""The present in milliseconds, for views."""

_WEEK_OF = {
    # ISO: a week is of the year that has its Thursday.
    "sqlite": "strftime('%Y', day, '-3 days', 'weekday 4') || "
    "printf('-W%02d', (strftime('%j', day, '-3 days', 'weekday 4') + 6) / 7)",
    "postgresql": """to_char(day, 'IYYY"-W"IW')""",
}
_MONTH_OF = {"sqlite": "strftime('%Y-%m', day)", "postgresql": "to_char(day, 'YYYY-MM')"}
_FIRST_OF = {
    "week": {
        "sqlite": "date(day, '-6 days', 'weekday 1')",
        "postgresql": "CAST(date_trunc('week', day) AS DATE)",
    },
    "month": {
        "sqlite": "date(day, 'start of month')",
        "postgresql": "CAST(date_trunc('month', day) AS DATE)",
    },
}

_WAITS = """
CREATE VIEW waits AS
SELECT
    l.unit,
    l.service,
    l.day,
    l.hour,
    l.subject,
    l.from_unit,
    l.issued_at,
    l.appointment_at,
    l.wait_from,
    CASE WHEN l.answered IS NOT NULL THEN s.called_at END AS called_at,
    CASE WHEN l.answered IS NULL THEN coalesce(l.first_ended_at, {over}) END AS ended_at,
    CASE
        WHEN l.answered IS NOT NULL THEN l.first_wait_ms
        WHEN coalesce(l.first_ended_at, {over}) >= l.wait_from THEN coalesce(l.first_ended_at, {over}) - l.wait_from
        WHEN l.wait_from > l.issued_at THEN NULL
        ELSE 0
    END AS wait_ms,
    CASE
        WHEN l.answered IS NOT NULL THEN 'called'
        WHEN l.left_within IS NOT NULL THEN 'left'
        WHEN s.ended_by = 'abandoned' THEN 'left_early'
        WHEN s.ended_by IS NOT NULL THEN s.ended_by
        ELSE l.status
    END AS outcome,
    l.target_ms,
    l.breach_at,
    coalesce(l.answered, l.left_within) AS within,
    l.judged,
    l.breached,
    l.status = 'no_show' AND l.answered IS NOT NULL AS nobody_came,
    l.status AS leg_status,
    l.observed_wait_ms,
    l.ticket,
    l.leg
FROM legs_now AS l
JOIN stretches AS s ON s.ticket = l.ticket AND s.basis = l.basis AND s.leg = l.leg AND s.stretch = 1
WHERE l.basis IN ('both', 'record') AND l.issued_at IS NOT NULL
"""
"""First stretches of waiting, to which levels, quantiles and Kaplan-Meier look (rules 26 and 28)."""

_OVER = (
    "CASE WHEN l.outcome IS NOT NULL THEN l.ended_at WHEN l.closes_at <= l.now_ms THEN l.closes_at ELSE l.now_ms END"
)

_COUNTS = (
    ("judged", "judged"),
    ("breached", "breached"),
    ("answered", "answered IS NOT NULL"),
    ("answered_within", "answered = 'yes'"),
    ("answered_after", "answered = 'no'"),
    ("left_waiting", "left_within IS NOT NULL"),
    ("left_short", "left_within = 'short'"),
    ("left_within", "left_within = 'yes'"),
    ("left_after", "left_within = 'no'"),
    ("nobody_came_within", "answered = 'yes' AND status = 'no_show'"),
    ("nobody_came_after", "answered = 'no' AND status = 'no_show'"),
    ("nobody_came", "answered IS NOT NULL AND status = 'no_show'"),
    ("issued", "issued_at IS NOT NULL"),
    ("visits", "visit"),
    ("waiting", "status IN ('waiting', 'early')"),
    ("completed", "status = 'completed'"),
    ("no_show", "status = 'no_show'"),
    ("abandoned", "status = 'abandoned'"),
    ("transferred", "status = 'transferred'"),
    ("expired", "status = 'expired'"),
)
_AMOUNTS = ("answered_wait_ms", "served", "services")
_SUMMED = (*(name for name, _ in _COUNTS), *_AMOUNTS)

_LEVELS = (
    ("level_live", "judged - breached", "judged"),
    ("level_answered", "answered_within", "answered_within + answered_after"),
    ("level_offered", "answered_within", "{offered}"),
    ("level_excluding_short", "answered_within", "{offered} - left_short"),
    ("level_abandoned_ok", "answered_within + left_short + left_within", "{offered}"),
    ("level_excluding_early", "answered_within", "answered_within + answered_after + left_after"),
    (
        "level_live_without_no_shows",
        "judged - breached - nobody_came_within",
        "judged - nobody_came_within - nobody_came_after",
    ),
    (
        "level_answered_without_no_shows",
        "answered_within - nobody_came_within",
        "answered_within + answered_after - nobody_came_within - nobody_came_after",
    ),
)
"""The default first (definitions: service level); a level's counts are in its row."""

_OFFERED = "answered_within + answered_after + left_short + left_within + left_after"

_BY_HOUR = """
CREATE VIEW service_levels_by_hour AS
SELECT unit, service, day, hour, {levels}, {names}
FROM (
    SELECT
        unit,
        CASE WHEN whole.whole = 0 THEN service END AS service,
        day,
        hour,
        {sums}
    FROM (
        SELECT unit, service, day, hour, {counts},
            CASE WHEN answered IS NOT NULL THEN first_wait_ms ELSE 0 END AS answered_wait_ms,
            0 AS served, 0 AS services
        FROM legs_now WHERE basis IN ('both', 'record')
        UNION ALL
        SELECT e.unit, e.service, e.day, l.hour, {zeros}, 0, e.served, e.services
        FROM employee_stretches AS e
        JOIN legs AS l ON l.ticket = e.ticket AND l.basis = e.basis AND l.leg = e.leg
        WHERE e.basis IN ('both', 'record') AND (e.served > 0 OR e.services > 0)
    ) AS parts
    CROSS JOIN (SELECT 0 AS whole UNION ALL SELECT 1) AS whole
    WHERE whole.whole = 1 OR service <> ''
    GROUP BY unit, CASE WHEN whole.whole = 0 THEN service END, day, hour
) AS summed
"""
"""Sums over sums (rule 27); what has no service counts for the unit alone (rule 19)."""

_BY_DAY = """
CREATE VIEW service_levels_by_day AS
SELECT unit, service, day, {levels}, {names}
FROM (SELECT unit, service, day, {sums} FROM service_levels_by_hour GROUP BY unit, service, day) AS summed
"""

_BY_LONGER = """
CREATE VIEW service_levels_by_{period} AS
SELECT unit, service, {period}, first_day, {levels}, {names}
FROM (
    SELECT unit, service, {label} AS {period}, {first} AS first_day, {sums}
    FROM service_levels_by_hour GROUP BY unit, service, {label}, {first}
) AS summed
"""

_EMPLOYEES = """
CREATE VIEW employees_by_day AS
SELECT
    unit,
    day,
    employee,
    served,
    services,
    handed_on,
    service_count,
    service_ms,
    way_count,
    way_ms,
    hold_count,
    hold_ms,
    served_wait_count,
    served_wait_ms,
    staffed_ms,
    serving_ms,
    call_gaps,
    call_gap_ms,
    flagged,
    CASE WHEN service_count > 0 THEN CAST(service_ms AS DOUBLE PRECISION) / service_count END AS service_mean_ms,
    CASE
        WHEN services > 0 AND staffed_ms > 0 THEN services * CAST(3600000 AS DOUBLE PRECISION) / staffed_ms
    END AS services_per_staffed_hour,
    CASE WHEN services > 0 AND staffed_ms > 0 THEN CAST(serving_ms AS DOUBLE PRECISION) / staffed_ms END AS occupancy,
    count(*) OVER (PARTITION BY unit, day) AS people
FROM (
    SELECT unit, day, employee, {sums}
    FROM (
        SELECT unit, day, employee, {stretches}, {no_time}
        FROM employee_stretches WHERE basis IN ('both', 'record') AND employee IS NOT NULL
        UNION ALL
        SELECT unit, day, employee, {no_stretches}, {time}
        FROM employee_days CROSS JOIN (SELECT {now} AS now_ms) AS n
        WHERE basis IN ('both', 'record') AND ends_at <= now_ms
    ) AS parts
    GROUP BY unit, day, employee
) AS summed
"""
_OF_STRETCHES = (
    "served",
    "services",
    "handed_on",
    "service_count",
    "service_ms",
    "way_count",
    "way_ms",
    "hold_count",
    "hold_ms",
    "served_wait_count",
    "served_wait_ms",
)
_OF_TIME = ("staffed_ms", "serving_ms", "call_gaps", "call_gap_ms", "flagged")


def upgrade() -> None:
    """Add the hour to the legs that are there, and make the views; views over `legs` are made anew."""
    dialect = op.get_bind().dialect.name
    kept = _views_on_legs(dialect)
    for name in reversed(kept):
        op.execute(f"DROP VIEW {name}")
    op.add_column("legs", sa.Column("hour", sa.SmallInteger(), nullable=False, server_default="0"))
    _fill_hours()
    for sql in kept.values():
        op.execute(sql)
    for sql in _views(dialect):
        op.execute(sql)


def _fill_hours() -> None:
    connection = op.get_bind()
    arrived = "coalesce(l.issued_at, s.began_at)"
    legs = "legs AS l JOIN stretches AS s ON s.ticket = l.ticket AND s.basis = l.basis AND s.leg = l.leg"
    quarters = f"""
        SELECT DISTINCT l.unit, u.zone, {arrived} / {_QUARTER_MS} AS quarter
        FROM {legs} AND s.stretch = 1 JOIN units AS u ON u.unit = l.unit
    """  # noqa: S608 (ours)
    told = [
        {"unit": unit, "quarter": quarter, "hour": local_hour(int(quarter) * _QUARTER_MS, zone)}
        for unit, zone, quarter in connection.execute(sa.text(quarters)).all()
    ]
    if not told:
        return
    connection.execute(
        sa.text(
            "CREATE TEMPORARY TABLE hours_told (unit TEXT, quarter BIGINT, hour SMALLINT, PRIMARY KEY (unit, quarter))"
        )
    )
    connection.execute(sa.text("INSERT INTO hours_told VALUES (:unit, :quarter, :hour)"), told)
    connection.execute(
        sa.text(
            f"""
            UPDATE legs SET hour = (
                SELECT h.hour FROM hours_told AS h
                JOIN stretches AS s ON s.ticket = legs.ticket AND s.basis = legs.basis AND s.leg = legs.leg
                WHERE h.unit = legs.unit AND s.stretch = 1
                AND h.quarter = coalesce(legs.issued_at, s.began_at) / {_QUARTER_MS}
            )
            """  # noqa: S608 (ours)
        )
    )
    connection.execute(sa.text("DROP TABLE hours_told"))


def _views_on_legs(dialect: str) -> dict[str, str]:
    """The views of the first version, which list all columns of `legs`, in the order in which they are made."""
    from loket_consumers.migrations.versions import v0001_the_record as first

    return {
        "legs_now": first._LEGS_NOW.format(now=first._NOW[dialect]),  # noqa: SLF001 (another migration's)
        "record_days": first._RECORD_DAYS,  # noqa: SLF001 (another migration's)
    }


def _views(dialect: str) -> list[str]:
    parts = {
        "levels": ",\n    ".join(
            f"CASE WHEN {whole.format(offered=_OFFERED)} > 0 "
            f"THEN CAST({part} AS DOUBLE PRECISION) / ({whole.format(offered=_OFFERED)}) END AS {name}"
            for name, part, whole in _LEVELS
        ),
        "names": ", ".join(_SUMMED),
        "sums": ", ".join(f"CAST(sum({name}) AS BIGINT) AS {name}" for name in _SUMMED),
    }
    counts = ", ".join(f"CASE WHEN {condition} THEN 1 ELSE 0 END AS {name}" for name, condition in _COUNTS)
    made = [
        _WAITS.format(over=_OVER),
        _BY_HOUR.format(**parts, counts=counts, zeros=", ".join("0" for _ in _COUNTS)),
        _BY_DAY.format(**parts),
    ]
    for period, label in (("week", _WEEK_OF), ("month", _MONTH_OF)):
        first = _FIRST_OF[period][dialect]
        made.append(_BY_LONGER.format(**parts, period=period, label=label[dialect], first=first))
    made.append(
        _EMPLOYEES.format(
            sums=", ".join(f"CAST(sum({name}) AS BIGINT) AS {name}" for name in (*_OF_STRETCHES, *_OF_TIME)),
            stretches=", ".join(_OF_STRETCHES),
            no_stretches=", ".join("0" for _ in _OF_STRETCHES),
            time=", ".join(_OF_TIME),
            no_time=", ".join(f"NULL AS {name}" for name in _OF_TIME),
            now=_NOW[dialect],
        )
    )
    return made
