"""The record's first version: archive, tickets with their legs and stretches, dead letters, positions.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_REMEMBERED = sa.text("remembered > 0")
_OPEN = sa.text("outcome IS NULL")
_NOW = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS BIGINT)",
    "postgresql": "CAST(extract(epoch FROM now()) * 1000 AS BIGINT)",
}
"""The present in milliseconds, for views."""

_LEGS_NOW = """
CREATE VIEW legs_now AS
SELECT
    l.*,
    n.now_ms,
    CASE
        WHEN outcome IS NOT NULL THEN outcome
        WHEN closes_at <= now_ms THEN 'expired'
        WHEN NOT waits THEN 'called'
        WHEN now_ms < last_wait_from AND last_wait_from > last_began_at AND now_ms >= last_began_at THEN 'early'
        ELSE 'waiting'
    END AS status,
    breach_at IS NOT NULL AND (
        first_called_at IS NOT NULL
        OR CASE WHEN outcome IS NOT NULL THEN ended_at WHEN closes_at <= now_ms THEN closes_at ELSE now_ms END
            > breach_at
    ) AS judged,
    breach_at IS NOT NULL AND coalesce(
        first_called_at,
        CASE WHEN outcome IS NOT NULL THEN ended_at WHEN closes_at <= now_ms THEN closes_at ELSE now_ms END
    ) > breach_at AS breached
FROM legs AS l CROSS JOIN (SELECT {now} AS now_ms) AS n
"""
"""Legs as they stand at the moment of the query: what time alone changes is computed here."""

_RECORD_DAYS = """
CREATE VIEW record_days AS
SELECT
    unit,
    day,
    service,
    sum(CASE WHEN issued_at IS NOT NULL THEN 1 ELSE 0 END) AS issued,
    sum(CASE WHEN visit THEN 1 ELSE 0 END) AS visits,
    sum(CASE WHEN answered IS NOT NULL THEN 1 ELSE 0 END) AS answered,
    sum(CASE WHEN answered = 'yes' THEN 1 ELSE 0 END) AS answered_within,
    sum(CASE WHEN left_within IS NOT NULL THEN 1 ELSE 0 END) AS left_waiting,
    sum(CASE WHEN status = 'completed' THEN 1 ELSE 0 END) AS completed,
    sum(CASE WHEN status = 'no_show' THEN 1 ELSE 0 END) AS no_show,
    sum(CASE WHEN status = 'abandoned' THEN 1 ELSE 0 END) AS abandoned,
    sum(CASE WHEN status = 'transferred' THEN 1 ELSE 0 END) AS transferred,
    sum(CASE WHEN status = 'expired' THEN 1 ELSE 0 END) AS expired,
    sum(CASE WHEN judged THEN 1 ELSE 0 END) AS judged,
    sum(CASE WHEN breached THEN 1 ELSE 0 END) AS breached,
    sum(observed_wait_ms) AS wait_ms
FROM legs_now
WHERE basis IN ('both', 'record')
GROUP BY unit, day, service
"""
"""The record of each unit, service day and service: sums, so that levels over several are sums over sums (rule 27)."""


def upgrade() -> None:
    """Create the tables and views."""
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("ticket_numbers")))
    op.create_table(
        "archive",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("broker_time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("recorded", sa.Text(), nullable=False),
        sa.Column("remembered", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("event_time", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("sent", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("imported", sa.Boolean(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("id_hash", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("content_hash", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("topic", "partition", "record_offset", name=op.f("archive_pkey")),
    )
    op.create_index(
        "archive_ids",
        "archive",
        ["unit", "id_hash"],
        unique=False,
        sqlite_where=_REMEMBERED,
        postgresql_where=_REMEMBERED,
    )
    op.create_table(
        "dead_letters",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("broker_time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("id", sa.Text(), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("topic", "partition", "record_offset", name=op.f("dead_letters_pkey")),
    )
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("positions_pkey")),
    )
    op.create_table(
        "queue_closings",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("id_hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content_hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("unit", "day", "at", "service", "live", name=op.f("queue_closings_pkey")),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("forgotten", sa.LargeBinary(), nullable=True),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("live_ids", sa.Integer(), nullable=False),
        sa.Column("contradictions", sa.Integer(), nullable=False),
        sa.Column("skewed", sa.Integer(), nullable=False),
        sa.Column("live_contradictions", sa.Integer(), nullable=False),
        sa.Column("live_skewed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tickets_pkey")),
    )
    op.create_index("tickets_key", "tickets", ["unit", "bucket", "subject"], unique=True)
    op.create_table(
        "units",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("admission", sa.LargeBinary(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("day_starts_ms", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("unit", name=op.f("units_pkey")),
    )
    op.create_table(
        "employee_stretches",
        sa.Column("ticket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("stretch", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("employee", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("way_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("way_count", sa.Integer(), nullable=False),
        sa.Column("service_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("service_count", sa.Integer(), nullable=False),
        sa.Column("hold_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hold_count", sa.Integer(), nullable=False),
        sa.Column("served_wait_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("served_wait_count", sa.Integer(), nullable=False),
        sa.Column("served", sa.Integer(), nullable=False),
        sa.Column("services", sa.Integer(), nullable=False),
        sa.Column("handed_on", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket"], ["tickets.id"], name=op.f("employee_stretches_ticket_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket", "basis", "leg", "stretch", "part", name=op.f("employee_stretches_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index("employee_stretches_employee", "employee_stretches", ["unit", "employee", "day"], unique=False)
    op.create_table(
        "legs",
        sa.Column("ticket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("from_unit", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("appointment_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("wait_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target_ms", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("short_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("breach_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("first_called_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("closes_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("last_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("visit", sa.Boolean(), nullable=False),
        sa.Column("incomplete", sa.Boolean(), nullable=False),
        sa.Column("completer", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("early_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("answered", sa.Text(), nullable=True),
        sa.Column("left_within", sa.Text(), nullable=True),
        sa.Column("near", sa.Text(), nullable=True),
        sa.Column("first_wait_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("last_began_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_wait_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("earlier_wait_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("observed_wait_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("total_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("legs_ticket_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket", "basis", "leg", name=op.f("legs_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index("legs_day", "legs", ["unit", "day"], unique=False)
    op.create_index("legs_open", "legs", ["unit", "day"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "stretches",
        sa.Column("ticket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("stretch", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("served_service", sa.Text(), nullable=False),
        sa.Column("issued", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wait_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("called_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("called", sa.Boolean(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("server", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ender", sa.Text(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("wait_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("way_ms", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("service_ms", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("hold_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("holds", sa.Integer(), nullable=False),
        sa.Column("lost_ms", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("stretches_ticket_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket", "basis", "leg", "stretch", name=op.f("stretches_pkey")),
        sqlite_with_rowid=False,
    )
    op.execute(_LEGS_NOW.format(now=_NOW[dialect]))
    op.execute(_RECORD_DAYS)
