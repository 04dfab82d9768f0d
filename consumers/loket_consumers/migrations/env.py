"""What Alembic runs: the migrations on the connection and in the transaction of `loket_consumers.migrating`."""

from alembic import context

from loket_consumers import alert_schema, request_schema  # noqa: F401 (each puts its tables into METADATA)
from loket_consumers.migrating import VERSION_TABLE
from loket_consumers.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE
)
context.run_migrations()
