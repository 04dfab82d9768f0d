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
    """Legs that are there were judged from their issue."""
    op.add_column("legs", sa.Column("opens_at", sa.BigInteger(), autoincrement=False, nullable=True))
