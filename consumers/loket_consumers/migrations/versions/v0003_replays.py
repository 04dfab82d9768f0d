"""Dead letters say when they were replayed.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing could be replayed before."""
    op.add_column("dead_letters", sa.Column("replayed_at", sa.BigInteger(), autoincrement=False, nullable=True))
