"""One `loket dead-letters replay` from its start to its end, and what it tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext

from rich.console import Console
from rich.text import Text
from sqlalchemy import Engine

from loket.broker import EventProducer
from loket.clock import SYSTEM_CLOCK
from loket.errors import LoketError, UsageError
from loket.harmless import harmless
from loket.settings import SinkSettings
from loket_consumers.dead_letters import Chosen, DeadLetter, count, pages, take
from loket_consumers.engines import reading
from loket_consumers.errors import RecordError
from loket_consumers.letters_shown import told
from loket_consumers.replaying import PAGE, Judge, Mending, Replayed, replay

__all__ = ["NothingToReplay", "run"]

DELIVERY_TIMEOUT_MS = 30_000


class NothingToReplay(RecordError):
    """No dead letter is what was asked for."""


def run(
    settings: SinkSettings,
    engine: Engine,
    chosen: Chosen,
    names: Sequence[str],
    *,
    key_by_unit: bool,
    as_imported: bool,
    dry_run: bool,
) -> None:
    """Replay the dead letters of the settings' topic that are `chosen`, or those with these names.

    Raises NothingToReplay, NoSuchDeadLetter, and what the broker and the database raise: what was sent before is told
    on standard error and marked.
    """
    now_ms = None if settings.now is None else int(settings.now)
    judge = Judge(SYSTEM_CLOCK, settings.clock, now_ms, Mending(key_by_unit, as_imported))
    letters = _by_name(engine, settings.topic, chosen, names) if names else _all(engine, settings.topic, chosen)
    done = Replayed()
    notes = Console(stderr=True, soft_wrap=True)
    try:
        producer = (
            nullcontext()
            if dry_run
            else EventProducer(settings.connection, settings.topic, delivery_timeout_ms=DELIVERY_TIMEOUT_MS)
        )
        with producer as sender:
            replay(letters, judge, sender, engine, SYSTEM_CLOCK, done)
    except (LoketError, KeyboardInterrupt):
        number = done.sent.total()
        notes.print(
            Text(
                f"Ended before all was done: {number:,} replayed and marked so. Replay again to send the rest; what "
                "was sent and not marked is then a repeat, and ignored."
            )
        )
        raise
    _tell(settings.topic, done, dry_run=dry_run)


def _all(engine: Engine, topic: str, chosen: Chosen) -> Iterator[list[DeadLetter]]:
    from msgspec.structs import replace

    chosen = replace(chosen, topic=topic)
    with reading(engine) as connection:
        counts = count(connection, chosen)
        others = count(connection, replace(chosen, replayed=True)) if chosen.replayed is False else []
    if not counts:
        before = sum(each.number for each in others)
        why = f"; {before:,} were replayed before, and --again takes them too" if before else ""
        raise NothingToReplay(
            f"no dead letter of {topic} is left that this choice names{why}. `loket dead-letters list` shows all"
        )
    return pages(engine, chosen, PAGE)


def _by_name(engine: Engine, topic: str, chosen: Chosen, names: Sequence[str]) -> Iterable[list[DeadLetter]]:
    if chosen != Chosen(replayed=chosen.replayed):
        raise UsageError("name dead letters, or choose them by options: not both")
    with reading(engine) as connection:
        letters = [take(connection, name) for name in dict.fromkeys(names)]
    for letter in letters:
        if letter.topic != topic:
            raise UsageError(f"{letter.name} is of another topic than {topic}: name it with --topic")
        if letter.replayed_at is not None and chosen.replayed is False:
            raise UsageError(f"{letter.name} was replayed at {letter.replayed}: --again sends it once more")
    return [letters]


def _tell(topic: str, done: Replayed, *, dry_run: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    sent = list(done.sent.items())
    if sent:
        console.print(Text(f"{'Would be replayed' if dry_run else 'Replayed'} to {harmless(topic)}: {told(sent)}"))
    else:
        console.print(Text("Nothing to replay: all of them would be refused again"))
    if done.stay:
        console.print(Text(f"Left, as they would be refused again: {told(list(done.stay.items()))}"))
