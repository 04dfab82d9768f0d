"""Free ports of this machine, for the processes that one command starts for itself."""

from __future__ import annotations

import random
import socket
from typing import Final

from loket.errors import LoketError

__all__ = ["NoFreePort", "free_port", "is_free"]

HOST: Final = "127.0.0.1"
_TRIES: Final = 200
_PORTS: Final = range(14_000, 18_000)
"""Below those that systems give to outgoing connections, and apart from those of the embedded broker."""


class NoFreePort(LoketError):
    """Every port that was tried is in use."""


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine now; somebody may take it in the next instant."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(wanted: int | None = None) -> int:
    """The wanted port where it is free, else any that is."""
    if wanted is not None and is_free(wanted):
        return wanted
    for _ in range(_TRIES):
        port = random.SystemRandom().choice(_PORTS)
        if is_free(port):
            return port
    raise NoFreePort(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free on {HOST}: end what uses them")
