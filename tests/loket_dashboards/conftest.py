"""One day in a real Prometheus and a real PostgreSQL, for all tests that ask."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from loket.embedded import EmbeddedBroker
from loket.domain.figures import Figures, evaluate
from support.day import BUSY, Day, Moment, lived, written
from support.postgres import PostgresServer
from support.prometheus import Prometheus, Sample


@dataclass
class Lived:
    """The day, where it is stored, and the busiest moment of it."""

    day: Day
    prometheus: Prometheus
    database: str
    moment: Moment

    def query(self, expression: str) -> list[Sample]:
        """What Prometheus answers for the moment."""
        return self.prometheus.query(expression, self.moment.now / 1000)

    def figures(self, unit: str = BUSY) -> Figures:
        """What the domain computes for the moment."""
        return evaluate(self.day.units(self.moment)[unit], self.moment.now)


@pytest.fixture(scope="session")
def day(
    embedded: EmbeddedBroker, promtool: Path, postgres: PostgresServer, prometheus_program: Path
) -> Iterator[Lived]:
    """The day; it takes about half a minute."""
    with tempfile.TemporaryDirectory(prefix="loket-day-") as name, postgres.database() as database:
        folder = Path(name)
        with lived(folder, database) as told:
            pass
        server = Prometheus(folder)
        written(told, folder / "data")
        try:
            server.start()
            yield Lived(told, server, database, _busiest(told, server))
        finally:
            server.kill()


def _busiest(day: Day, server: Prometheus) -> Moment:
    """The moment of the second day, two hours after its begin or later, at which the most people wait over target."""
    last = day.moments[-1]
    later = [moment for moment in day.moments if last.now - 4 * 3_600_000 < moment.now]

    def over(moment: Moment) -> float:
        (sample,) = server.query(f'sum(loket_tickets_over_target{{unit="{BUSY}"}})', moment.now / 1000)
        return sample.value

    return max(later, key=over)
