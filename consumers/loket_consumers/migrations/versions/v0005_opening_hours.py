"""The opening from which a wait is judged, where a unit waits from opening.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: legs that are there were judged from their issue. Views over `legs` are made anew."""
    views = _views(op.get_bind().dialect.name)
    for sql in reversed(views):
        op.execute(f"DROP VIEW {sql.split()[2]}")
    op.add_column("legs", sa.Column("opens_at", sa.BigInteger(), autoincrement=False, nullable=True))
    for sql in views:
        op.execute(sql)


def _views(dialect: str) -> list[str]:
    """All views over `legs`, in the order in which they are made: `CREATE VIEW name …`."""
    from loket_consumers.migrations.versions import v0004_views_of_waits as fourth

    return [*fourth._views_on_legs(dialect).values(), *fourth._views(dialect)]  # noqa: SLF001 (another migration's)
