"""A status in words, for the person in front of the device."""

from collections.abc import Iterator

from loket.emitter.clockwatch import named
from loket.emitter.status import Status
from loket.wire.instant import format_instant

__all__ = ["told"]


def told(status: Status) -> Iterator[str]:
    """The lines of a status: what waits, what was set aside, how the sending goes, the clock, what was damaged."""
    holder = "nobody" if status.held_by is None else f"process {status.held_by}"
    yield f"{status.path}: {status.bytes} bytes, in use by {holder}"
    if status.damaged is not None:
        yield f"the file is damaged ({status.damaged}): the next `loket emit` keeps it aside and takes what it can read"
        return
    since = f", the oldest since {_at(status.oldest_pending_at_ms)}" if status.oldest_pending_at_ms is not None else ""
    yield f"{status.pending} events wait{since}"
    for reason, count in status.set_aside.items():
        yield f"{count} set aside: {reason} (`loket emit --aside FILE` takes them out)"
    sending = status.sending
    if sending.acknowledged_at_ms is not None:
        yield f"last acknowledged by the broker at {_at(sending.acknowledged_at_ms)}"
    if sending.trouble is not None:
        yield f"not sending since {_at(sending.trouble_since_ms)}: {sending.trouble}"
    if sending.broker_ahead_ms is not None:
        way = "ahead of" if sending.broker_ahead_ms >= 0 else "behind"
        by = abs(sending.broker_ahead_ms) / 1000
        yield f"the broker's clock is {by:.1f} s {way} this device's (the way there included)"
    clock = status.clock
    if clock.count:
        yield (
            f"the clock jumped {clock.count} times, {clock.forward_ms / 1000:.0f} s forward and "
            f"{clock.backward_ms / 1000:.0f} s backward in all; lately:"
        )
        for jump in clock.last[-5:]:
            yield f"  {_at(jump.at_ms)}: {named(jump)}"
    for incident in status.incidents:
        missing = f"; not read: events {incident.missing}" if incident.missing else ""
        yield (
            f"damaged at {_at(incident.at_ms)} ({incident.what}): {incident.read} events read, the file kept as "
            f"{incident.kept}{missing}"
        )


def _at(ms: int | None) -> str:
    return "an unknown time" if ms is None else format_instant(ms)
