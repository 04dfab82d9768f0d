"""Requests with their clocks, and answers of citizens.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEPT_OVER = sa.text("kept AND over_day IS NOT NULL")

_MONTH_OF = {"sqlite": "strftime('%Y-%m', day)", "postgresql": "to_char(day, 'YYYY-MM')"}

_SATISFACTION = """
CREATE VIEW satisfaction AS
SELECT
    unit,
    service,
    month,
    score_1,
    score_2,
    score_3,
    score_4,
    hundredths / 100.0 AS skm_index,
    CASE WHEN hundredths >= 8831 THEN 'A' WHEN hundredths >= 7661 THEN 'B' WHEN hundredths >= 6500 THEN 'C' ELSE 'D' END
        AS band
FROM (
    SELECT
        unit,
        service,
        {month} AS month,
        CAST(sum(CASE WHEN score = 1 THEN 1 ELSE 0 END) AS BIGINT) AS score_1,
        CAST(sum(CASE WHEN score = 2 THEN 1 ELSE 0 END) AS BIGINT) AS score_2,
        CAST(sum(CASE WHEN score = 3 THEN 1 ELSE 0 END) AS BIGINT) AS score_3,
        CAST(sum(CASE WHEN score = 4 THEN 1 ELSE 0 END) AS BIGINT) AS score_4,
        CAST((5000 * sum(score) + count(*)) / (2 * count(*)) AS BIGINT) AS hundredths
    FROM feedback
    GROUP BY unit, service, {month}
) AS answers
"""
"""The index of the SKM is 25 times the mean score, rounded to two places, a half up: kept in hundredths."""

_NOW = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS BIGINT)",
    "postgresql": "CAST(extract(epoch FROM now()) * 1000 AS BIGINT)",
}
"""The present in milliseconds."""

_REQUESTS_NOW = """
CREATE VIEW requests_now AS
SELECT
    r.*,
    CASE
        WHEN r.ended_at IS NULL THEN CASE WHEN r.suspended_since IS NULL THEN 'open' ELSE 'suspended' END
        WHEN r.completed THEN 'completed'
        ELSE 'cancelled'
    END AS status,
    coalesce(r.ended_at, {now}) - r.submitted_at AS age_ms,
    CASE
        WHEN r.target_ms IS NULL THEN 0
        WHEN r.completed THEN 1
        WHEN coalesce(r.ended_at, {now}) > r.breach_at THEN 1
        ELSE 0
    END AS judged,
    CASE WHEN coalesce(r.ended_at, {now}) > r.breach_at THEN 1 ELSE 0 END AS breached
FROM requests AS r
"""


def upgrade() -> None:
    """Create the tables. What came before is in the archive as `not_yet`, and in no table of requests."""
    op.add_column("units", sa.Column("hours", sa.LargeBinary(), nullable=True))
    op.create_table(
        "request_steps",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("over_day", sa.Integer(), nullable=True),
        sa.Column("live_ids", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "subject", name=op.f("request_steps_pkey")),
    )
    op.create_index(
        "request_steps_over",
        "request_steps",
        ["unit", "over_day"],
        unique=False,
        sqlite_where=_KEPT_OVER,
        postgresql_where=_KEPT_OVER,
    )
    op.create_table(
        "requests",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("submitted_on", sa.Date(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("first_completed_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("outcome_label", sa.Text(), nullable=True),
        sa.Column("suspended_since", sa.BigInteger(), nullable=True),
        sa.Column("suspended_ms", sa.BigInteger(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("reopened_early", sa.Boolean(), nullable=False),
        sa.Column("target_ms", sa.BigInteger(), nullable=True),
        sa.Column("breach_at", sa.BigInteger(), nullable=True),
        sa.Column("citizen_ms", sa.BigInteger(), nullable=True),
        sa.Column("citizen_service_ms", sa.BigInteger(), nullable=True),
        sa.Column("legal_ms", sa.BigInteger(), nullable=True),
        sa.Column("task_ms", sa.BigInteger(), nullable=True),
        sa.Column("contradictions", sa.Integer(), nullable=False),
        sa.Column("skewed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "subject", "basis", name=op.f("requests_pkey")),
    )
    op.create_index("requests_submitted_on", "requests", ["unit", "submitted_on"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("id_hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("live", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "day", "id_hash", "live", name=op.f("feedback_pkey")),
    )
    dialect = op.get_bind().dialect.name
    op.execute(_SATISFACTION.format(month=_MONTH_OF[dialect]))
    op.execute(_REQUESTS_NOW.format(now=_NOW[dialect]))
