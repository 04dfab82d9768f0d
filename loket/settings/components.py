"""The settings of each component, their defaults and bounds."""

from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from loket.domain.events import Instant

__all__ = [
    "COMPONENTS",
    "SECRET",
    "AlertsSettings",
    "Connection",
    "EmitterSettings",
    "Settings",
    "SinkSettings",
    "TopicsSettings",
    "WorkerSettings",
]

SECRET: Final = frozenset({"sasl_password", "ssl_password", "database", "board_token"})
"""What is never shown: passwords and tokens, and the URL that may hold one."""

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._-]{1,249}\Z", description="1 to 249 of A-Z a-z 0-9 . _ -")]
Host = Annotated[str, Meta(pattern=r"\A\S+\Z", description="a host name or address")]
Port = Annotated[int, Meta(ge=0, le=65_535, description="a port number up to 65535 (0: any free one)")]
Addresses = Annotated[
    str,
    Meta(
        pattern=r"\A[^\s,]+:[0-9]{1,5}(?:,[^\s,]+:[0-9]{1,5})*\Z",
        description="host:port, or several of them with commas between",
    ),
]
File = Annotated[str, Meta(min_length=1, description="the path of a file")]
Text = Annotated[str, Meta(min_length=1, description="a text that is not empty")]
Seconds = Annotated[float, Meta(gt=0, le=3_600, description="seconds, more than 0 and at most 3600")]
HttpUrl = Annotated[
    str,
    Meta(pattern=r"\Ahttps?://[^\s/?#@]+(?:/[^\s?#]*)?\Z", description="a URL such as http://127.0.0.1:9103"),
]
Token = Annotated[
    str,
    Meta(
        pattern=r"\A[!-~]{16,512}\Z",
        description="16 to 512 letters, digits and signs, such as `openssl rand -hex 24` makes",
    ),
]
Url = Annotated[
    str, Meta(pattern=r"\A[a-z][a-z0-9+]*://", description="a URL such as postgresql+psycopg://user@host/loket")
]


class Connection(Struct, frozen=True, kw_only=True):
    """How Kafka is reached: addresses and, where the cluster asks for it, security, in kafka-python's words."""

    bootstrap: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = None
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_password: str | None = None
    ssl_check_hostname: bool = True

    def __repr__(self) -> str:
        return f"Connection(bootstrap={self.bootstrap!r}, security_protocol={self.security_protocol!r}, …)"


class Settings(Struct, frozen=True, kw_only=True):
    """What every component takes."""

    COMPONENT: ClassVar[str] = ""

    bootstrap: Addresses = "127.0.0.1:9092"
    topic: Name = "loket.events"
    targets: File | None = None
    clock: Literal["service", "event"] = "service"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: Text | None = None
    sasl_password: Text | None = None
    ssl_cafile: File | None = None
    ssl_certfile: File | None = None
    ssl_keyfile: File | None = None
    ssl_password: Text | None = None
    ssl_check_hostname: bool = True

    def __repr__(self) -> str:
        shown = (f"{name}={'…' if name in SECRET else repr(getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def connection(self) -> Connection:
        """How Kafka is reached."""
        return Connection(**{name: getattr(self, name) for name in Connection.__struct_fields__})


class WorkerSettings(Settings, frozen=True, kw_only=True):
    """What `loket worker` takes. `now` is the present of a replay (with `clock: event`).

    `unit_budget`: how many units that the targets do not name have metrics, and in each partition a state, of their
    own; the rest is summed as `other`.
    `board_…`: the worker's page (docs/board.md), served where a port is given; who has the token may take an alert.
    """

    COMPONENT: ClassVar[str] = "worker"

    app_id: Name = "loket-worker"
    metrics_host: Host = "127.0.0.1"
    metrics_port: Port = 9101
    checkpoint_interval_s: Seconds = 5.0
    session_timeout_s: Seconds = 45.0
    fetch_min_bytes: Annotated[int, Meta(ge=1, le=50_000_000, description="bytes, from 1 to 50000000")] = 65_536
    fetch_max_wait_ms: Annotated[int, Meta(ge=0, le=10_000, description="milliseconds, from 0 to 10000")] = 50
    unit_budget: Annotated[int, Meta(ge=0, le=1_000_000, description="a whole number from 0 to 1000000")] = 10_000
    now: Instant | None = None
    board_host: Host = "127.0.0.1"
    board_port: Port | None = None
    board_public_host: Host = "127.0.0.1"
    board_public_port: Port | None = None
    board_token: Token | None = None
    board_alerts_url: HttpUrl | None = None


class SinkSettings(Settings, frozen=True, kw_only=True):
    """What `loket sink` and the commands of the record take. `database` is SQLAlchemy's URL."""

    COMPONENT: ClassVar[str] = "sink"

    database: Url = "sqlite:///loket.db"
    group_id: Name = "loket-sink"
    metrics_host: Host = "127.0.0.1"
    metrics_port: Port = 9102
    session_timeout_s: Seconds = 45.0
    now: Instant | None = None


class AlertsSettings(Settings, frozen=True, kw_only=True):
    """What `loket alerts` takes: the receiver of Alertmanager's webhook, and who reads what it keeps.

    `board_token` is the same setting as the worker's: who has it may take an alert; without it nobody may over HTTP.
    `runbook_url` stands before an alert's heading of the runbook.
    """

    COMPONENT: ClassVar[str] = "alerts"

    database: Url = "sqlite:///loket.db"
    listen_host: Host = "127.0.0.1"
    listen_port: Port = 9103
    board_token: Token | None = None
    runbook_url: HttpUrl | None = None


class TopicsSettings(Settings, frozen=True, kw_only=True):
    """What `loket topics` takes. Partitions are chosen once: a unit's key decides where its state lives.

    `app_id` and `checkpoint_interval_s` are the worker's, whose changelog is made for them.
    """

    COMPONENT: ClassVar[str] = "topics"

    app_id: Name = "loket-worker"
    checkpoint_interval_s: Seconds = 5.0
    partitions: Annotated[int, Meta(ge=1, le=10_000, description="a whole number from 1 to 10000")] = 12
    replication_factor: Annotated[int, Meta(ge=1, le=100, description="a whole number from 1 to 100")] | None = None
    retention_days: Annotated[float, Meta(ge=7, le=36_500, description="days, 7 at least")] = 14.0


class EmitterSettings(Settings, frozen=True, kw_only=True):
    """What `loket emit` takes on a counter. `source` names the device; `unit` and `counter` are its heartbeat's.

    With `key_file` the ids of people and tickets (`pseudonyms` says which) are replaced by hashes with that key.
    """

    COMPONENT: ClassVar[str] = "emitter"

    outbox: File = "outbox.db"
    source: Annotated[str, Meta(min_length=1, max_length=256, description="1 to 256 characters")] | None = None
    max_events: Annotated[int, Meta(ge=1, le=100_000_000, description="a whole number from 1 to 100000000")] = 500_000
    max_bytes: Annotated[int, Meta(ge=4 << 20, le=1 << 40, description="bytes, from 4194304 (4 MiB) to 2^40")] = (
        256 << 20
    )
    key_file: File | None = None
    pseudonyms: Literal["all", "employee", "subject"] = "all"
    unit: Text | None = None
    counter: Text | None = None


COMPONENTS: Final[dict[str, type[Settings]]] = {
    kind.COMPONENT: kind for kind in (WorkerSettings, SinkSettings, AlertsSettings, TopicsSettings, EmitterSettings)
}
