"""What the cluster asks for before it lets a worker in, as Faust takes it."""

from __future__ import annotations

import ssl
from typing import Any

from faust import SASLCredentials, SSLCredentials

from loket.errors import UsageError
from loket.settings import Connection

__all__ = ["credentials"]


def credentials(connection: Connection) -> Any:
    """Return Faust's credentials for a connection, None where the cluster asks for none.

    Raises UsageError where a certificate cannot be read.
    """
    protocol = connection.security_protocol
    context = _context(connection) if protocol in ("SSL", "SASL_SSL") else None
    if protocol.startswith("SASL"):
        return SASLCredentials(
            mechanism=connection.sasl_mechanism or "PLAIN",
            username=connection.sasl_username,
            password=connection.sasl_password,
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None


def _context(connection: Connection) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=connection.ssl_cafile)
        if connection.ssl_certfile is not None:
            context.load_cert_chain(connection.ssl_certfile, connection.ssl_keyfile, connection.ssl_password)
    except OSError as error:
        raise UsageError(
            f"the certificates cannot be read ({error}): look at LOKET_SSL_CAFILE, _CERTFILE and _KEYFILE"
        ) from error
    context.check_hostname = connection.ssl_check_hostname
    return context
