"""The worker's own page: what a unit's queues are now, for its supervisor's phone and for the screen in its hall.

```
browser ◀─ SSE ─ web ◀── feeds ◀── looks ── lock ──▶ units of the worker
   │              │        └────── alerts ◀─ HTTP ── `loket alerts receive`
   └─ "I take it" ┴─ token ──────────▲
```

A thread and an event loop of its own: the stream's event loop never waits for a browser. What is shown is made once for
all who look at the same, and only while somebody does.
"""

from loket_streams.board.server import BoardServer

__all__ = ["BoardServer"]
