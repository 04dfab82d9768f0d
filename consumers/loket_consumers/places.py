"""The positions of partitions in the database: where the record has got to in each."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Engine, select, update

from loket_consumers import bulk
from loket_consumers.engines import writing
from loket_consumers.schema import positions

__all__ = ["Places"]


class Places:
    """The positions of one topic. Every method raises DatabaseAway or DatabaseRefuses."""

    def __init__(self, engine: Engine, topic: str) -> None:
        self._engine = engine
        self._topic = topic

    def read(self, partitions: Collection[int]) -> dict[int, int]:
        """The next offset of each partition that has a position."""
        query = select(positions.c.partition, positions.c.next).where(positions.c.topic == self._topic)
        with writing(self._engine) as connection:
            found = {int(partition): int(following) for partition, following in connection.execute(query)}
        return {partition: found[partition] for partition in partitions if partition in found}

    def begin(self, offsets: Mapping[int, int]) -> None:
        """Give partitions their first position, where nobody else has done so meanwhile."""
        rows = [(self._topic, partition, offset) for partition, offset in offsets.items()]
        with writing(self._engine) as connection:
            bulk.insert(connection, positions, rows, skip_known=True)

    def skip(self, partition: int, expected: int, following: int) -> None:
        """Go on at a later offset, without the events before it, where the position is still `expected`."""
        statement = update(positions).where(
            positions.c.topic == self._topic, positions.c.partition == partition, positions.c.next == expected
        )
        with writing(self._engine) as connection:
            connection.execute(statement.values(next=following))
