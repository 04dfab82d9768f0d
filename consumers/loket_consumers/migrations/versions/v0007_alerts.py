"""Alerts, who took them and when all was normal again.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FIRING = sa.text("ended_at IS NULL")

_MONTH_OF = {"sqlite": "strftime('%Y-%m', day)", "postgresql": "to_char(day, 'YYYY-MM')"}

_ALERT_TIMES = """
CREATE VIEW alert_times AS
SELECT
    unit,
    service,
    name,
    severity,
    day,
    started_at,
    acknowledged_by,
    note,
    acknowledged_at - started_at AS acknowledged_ms,
    ended_at - started_at AS normal_ms,
    CASE WHEN acknowledged_at <= ended_at THEN ended_at - acknowledged_at END AS normal_after_acknowledged_ms
FROM alerts
"""

_ALERTS_BY_MONTH = """
CREATE VIEW alerts_by_month AS
SELECT
    unit,
    name,
    month,
    count(*) AS alerts,
    max(acknowledged) AS acknowledged,
    CAST(sum(CASE WHEN acknowledged_ms <= 300000 THEN 1 ELSE 0 END) AS BIGINT) AS acknowledged_within_5_min,
    max(normal) AS normal,
    CAST(avg(CASE WHEN nth_acknowledged IN ((acknowledged + 1) / 2, (acknowledged + 2) / 2) THEN acknowledged_ms END)
        AS BIGINT) AS median_acknowledged_ms,
    CAST(avg(CASE WHEN nth_normal IN ((normal + 1) / 2, (normal + 2) / 2) THEN normal_ms END)
        AS BIGINT) AS median_normal_ms
FROM (
    SELECT
        unit,
        name,
        {month} AS month,
        acknowledged_ms,
        normal_ms,
        count(acknowledged_ms) OVER (PARTITION BY unit, name, {month}) AS acknowledged,
        count(normal_ms) OVER (PARTITION BY unit, name, {month}) AS normal,
        row_number() OVER (
            PARTITION BY unit, name, {month}
            ORDER BY CASE WHEN acknowledged_ms IS NULL THEN 1 ELSE 0 END, acknowledged_ms
        ) AS nth_acknowledged,
        row_number() OVER (
            PARTITION BY unit, name, {month} ORDER BY CASE WHEN normal_ms IS NULL THEN 1 ELSE 0 END, normal_ms
        ) AS nth_normal
    FROM alert_times
) AS ordered
GROUP BY unit, name, month
"""
"""Medians by the rank, as SQLite has no percentile: the middle one, or the mean of the two."""


def upgrade() -> None:
    """Create the table and its views."""
    op.create_table(
        "alerts",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("summary_id", sa.Text(), nullable=False),
        sa.Column("summary_en", sa.Text(), nullable=False),
        sa.Column("runbook_url", sa.Text(), nullable=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("told_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("ended_told_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", "started_at", name=op.f("alerts_pkey")),
    )
    op.create_index("alerts_unit", "alerts", ["unit", "started_at"], unique=False)
    op.create_index("alerts_firing", "alerts", ["unit"], unique=False, sqlite_where=_FIRING, postgresql_where=_FIRING)
    op.execute(_ALERT_TIMES)
    op.execute(_ALERTS_BY_MONTH.format(month=_MONTH_OF[op.get_bind().dialect.name]))
