"""How a client reaches Kafka, and what a person is told when it does not.

```
LoketError
└── BrokerError             Kafka answered with an error that Loket has no better words for
    ├── BrokerAway          nobody answers at the address
    ├── BrokerRefused       it answers, and does not let us in or do this
    ├── TopicMissing        (topics)
    └── DeliveryFailed      (producer)
```
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any, Final

from kafka import KafkaAdminClient, errors

from loket.errors import LoketError
from loket.settings import Connection

__all__ = [
    "BrokerAway",
    "BrokerError",
    "BrokerRefused",
    "admin_client",
    "client_options",
    "kafka_errors",
    "wait_for_port",
]

_BOOTSTRAP_MS: Final = 10_000
_KNOCKS: Final = 40
_KNOCK_S: Final = 1.0

_RENAMED: Final = {
    "bootstrap": "bootstrap_servers",
    "sasl_username": "sasl_plain_username",
    "sasl_password": "sasl_plain_password",
}
_REFUSALS: Final = (
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
    errors.AuthorizationError,
    errors.SecurityDisabledError,
    errors.PolicyViolationError,
)


class BrokerError(LoketError):
    """Kafka answered with an error. `bootstrap` is the address that was used."""

    def __init__(self, bootstrap: str, message: str) -> None:
        self.bootstrap = bootstrap
        super().__init__(message)


class BrokerAway(BrokerError):
    """No broker answers at the address."""

    def __init__(self, bootstrap: str, cause: BaseException) -> None:
        super().__init__(
            bootstrap,
            f"no Kafka broker answers at {bootstrap} ({cause}): start it, or give the address of one that runs "
            "(LOKET_BOOTSTRAP or --bootstrap) and, where it asks for it, LOKET_SECURITY_PROTOCOL",
        )


class BrokerRefused(BrokerError):
    """The broker answers, and does not allow what was asked."""


def client_options(connection: Connection) -> dict[str, Any]:
    """The keyword arguments that every client of kafka-python takes to reach this Kafka."""
    given = {name: getattr(connection, name) for name in connection.__struct_fields__}
    options = {_RENAMED.get(name, name): value for name, value in given.items() if value is not None}
    options["bootstrap_servers"] = connection.bootstrap.split(",")
    options["bootstrap_timeout_ms"] = _BOOTSTRAP_MS
    return options


@contextmanager
def kafka_errors(connection: Connection, doing: str) -> Iterator[None]:
    """Turn what kafka-python raises into Loket's errors; `doing` says what was tried, as in "creating topics"."""
    bootstrap = connection.bootstrap
    try:
        yield
    except _REFUSALS as error:
        raise BrokerRefused(
            bootstrap,
            f"{doing}: Kafka at {bootstrap} refuses it ({type(error).__name__}): "
            "check LOKET_SASL_… and the rights of that user",
        ) from error
    except (errors.KafkaTimeoutError, errors.KafkaConnectionError, errors.NodeNotReadyError) as error:
        raise BrokerAway(bootstrap, error) from error
    except errors.KafkaError as error:
        raise BrokerError(bootstrap, f"{doing}: Kafka at {bootstrap} answers {error}") from error
    except OSError as error:  # a certificate or key that cannot be read
        raise BrokerError(bootstrap, f"{doing}: Kafka at {bootstrap} cannot be reached: {error}") from error


def wait_for_port(connection: Connection) -> None:
    """Return when something listens at one of the addresses. Raises BrokerAway after some seconds.

    A client of kafka-python that cannot connect leaves its thread and its sockets behind, so none is made before.
    """
    addresses = [address.rpartition(":") for address in connection.bootstrap.split(",")]
    cause: OSError | None = None
    for _ in range(_KNOCKS):
        for host, _, port in addresses:
            try:
                socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()
            except OSError as error:
                cause = error
            else:
                return
        sleep(_KNOCK_S / 4)
    raise BrokerAway(connection.bootstrap, cause or OSError("no address")) from cause


@contextmanager
def admin_client(connection: Connection, doing: str) -> Iterator[Any]:
    """A client for topics and groups, closed at the end. Raises BrokerAway, or what `kafka_errors` makes of Kafka's."""
    wait_for_port(connection)
    with kafka_errors(connection, doing):
        admin = KafkaAdminClient(**client_options(connection))
        try:
            yield admin
        finally:
            admin.close()
