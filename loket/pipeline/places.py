"""Where a pipeline reads and writes, and how its processes are told: the names of one run, as settings."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from loket.settings import Connection

__all__ = ["HOST", "Places"]

HOST: Final = "127.0.0.1"
"""Where the processes of a run serve their metrics."""

_EMBEDDED_SESSION_S: Final = 6
"""The embedded broker lets a group's first member wait for half of it."""

_SESSION_S: Final = 10
"""Short, so that members that were killed are soon forgotten and their group can be removed."""


class Places(Struct, frozen=True, kw_only=True):
    """The names of one run. `topic` and `app_id` are its own unless a topic is given; ports are on 127.0.0.1.

    `alerts_port`: where `loket alerts receive` is, if it is.
    """

    connection: Connection
    topic: str
    app_id: str
    group_id: str
    database: str
    worker_port: int
    sink_port: int
    clock: Literal["service", "event"]
    targets: Path | None = None
    now: str | None = None
    embedded: bool = False
    board_port: int | None = None
    alerts_port: int | None = None
    board_token: str | None = None

    @staticmethod
    def unique(purpose: str) -> str:
        """A name that nothing else has."""
        return f"loket-{purpose}-{uuid.uuid4().hex[:12]}"

    @property
    def changelog(self) -> str:
        """The topic of the worker's states."""
        return f"{self.app_id}-units-changelog"

    def environment(self) -> dict[str, str]:
        """The settings of all processes, as environment variables."""
        settings: dict[str, object] = {
            "topic": self.topic,
            "app_id": self.app_id,
            "group_id": self.group_id,
            "database": self.database,
            "worker_metrics_port": self.worker_port,
            "sink_metrics_port": self.sink_port,
            "board_port": self.board_port,
            "board_alerts_url": None if self.alerts_port is None else f"http://{HOST}:{self.alerts_port}",
            "board_token": self.board_token,
            "alerts_listen_port": self.alerts_port,
            "clock": self.clock,
            "targets": None if self.targets is None else self.targets.resolve(),
            "now": self.now,
            "session_timeout_s": _EMBEDDED_SESSION_S if self.embedded else _SESSION_S,
        }
        for name in self.connection.__struct_fields__:
            settings[name] = getattr(self.connection, name)
        return {f"LOKET_{name.upper()}": _written(value) for name, value in settings.items() if value is not None}


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
