"""The counter's side: an outbox on disk that loses nothing, and a sender that empties it in order.

```python
with Emitter("/var/lib/loket/outbox.db", "bandung/counter-3", connection=Connection(bootstrap="kafka:9092")) as emitter:
    emitter.issued("bandung", "A-17", "ktp")
```
"""

from loket.emitter.emitter import Emitter, Heartbeat
from loket.emitter.errors import (
    ClockNotSet,
    KeyUnusable,
    NotAnOutbox,
    OutboxClosed,
    OutboxError,
    OutboxFull,
    OutboxInUse,
    OutboxUnwritable,
)
from loket.emitter.pseudonyms import Pseudonyms
from loket.emitter.status import Status, read_status
from loket.emitter.store import Limits

__all__ = [
    "ClockNotSet",
    "Emitter",
    "Heartbeat",
    "KeyUnusable",
    "Limits",
    "NotAnOutbox",
    "OutboxClosed",
    "OutboxError",
    "OutboxFull",
    "OutboxInUse",
    "OutboxUnwritable",
    "Pseudonyms",
    "Status",
    "read_status",
]
