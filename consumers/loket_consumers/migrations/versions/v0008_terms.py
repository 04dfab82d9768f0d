"""What a unit's people were counted and judged by.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Of what came before nothing is known: it is written with the unit's next events."""
    op.add_column("units", sa.Column("terms", sa.LargeBinary(), nullable=True))
