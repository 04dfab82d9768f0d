"""Employees' time: session events, and what days that are over brought each employee.

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; units that are there had no sessions yet."""
    op.add_column("units", sa.Column("staff_from", sa.Date(), nullable=True))
    op.create_table(
        "sessions",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("employee", sa.Text(), nullable=False),
        sa.Column("services", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("id_hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "unit", "day", "at", "kind", "counter", "employee", "services", "live", name=op.f("sessions_pkey")
        ),
    )
    op.create_table(
        "employee_days",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("employee", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("staffed_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("serving_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("call_gap_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("call_gaps", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "day", "basis", "employee", name=op.f("employee_days_pkey")),
    )
    op.create_index("employee_days_employee", "employee_days", ["unit", "employee", "day"], unique=False)
