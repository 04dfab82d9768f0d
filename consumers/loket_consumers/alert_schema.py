"""The table of alerts in the record: what Alertmanager told, who took it, and when it was over.

One row for each time that an alert began: Alertmanager's fingerprint (of its labels) and the start. Views over it are
in the migrations (docs/alerts.md).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Date, Index, Table, Text, text

from loket_consumers.schema import METADATA

__all__ = ["alerts"]

_FIRING: Final = text("ended_at IS NULL")


def _big(name: str, *, null: bool = False, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null, primary_key=key, autoincrement=False)


alerts: Final = Table(
    "alerts",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    _big("started_at", key=True),
    Column("day", Date, nullable=False),  # the service day of the start, of the unit
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),  # '' of an alert of the pipeline
    Column("service", Text, nullable=False),  # '' of an alert of a unit
    Column("severity", Text, nullable=False),
    Column("summary_id", Text, nullable=False),  # as it was told last
    Column("summary_en", Text, nullable=False),
    Column("runbook_url", Text, nullable=True),
    Column("labels", Text, nullable=False),  # JSON: all of them
    _big("received_at"),  # when it was told first
    _big("told_at"),  # and last
    _big("ended_at", null=True),  # by Prometheus; NULL: not told yet
    _big("ended_told_at", null=True),
    _big("acknowledged_at", null=True),
    Column("acknowledged_by", Text, nullable=True),
    Column("note", Text, nullable=True),
    Index("alerts_unit", "unit", "started_at"),
    Index("alerts_firing", "unit", sqlite_where=_FIRING, postgresql_where=_FIRING),
)
