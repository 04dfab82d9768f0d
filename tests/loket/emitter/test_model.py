"""Any sequence of storing, failing, refusing, jumping, crashing and starting again: nothing lost, all in order."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loket.emitter.errors import OutboxFull
from loket.emitter.outbox import Outbox
from loket.emitter.store import Limits
from support.emitting import Bench, FakeBroker

MOST = 40


class Killed(BaseException):
    """The process ended between the broker's answer and its mark."""


class Counter(RuleBasedStateMachine):
    """One counter over its bad days. `stored` is what `append` returned from, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.stored: list[str] = []
        self.bad: set[str] = set()
        self.may_repeat: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self.broker = FakeBroker()
        self.bench = Bench(self.folder, self.broker, limits=Limits(max_events=MOST))

    @rule(count=st.integers(1, 12), bad=st.booleans())
    def put(self, count: int, bad: bool) -> None:
        for _ in range(count):
            name = f"T-{len(self.stored):04}"
            held = self.bench.outbox.pending + len(self.bench.outbox.aside())
            try:
                self.bench.put(name)
            except OutboxFull:
                assert held >= MOST
                return
            assert held < MOST
            self.stored.append(name)
            if bad:
                bad = False
                self.bad.add(name)
                self.broker.refused.add(f'"id":"{name}"'.encode())

    @rule(step=st.sampled_from(["ok", "away", "failed", "lost answer"]), whole=st.booleans())
    def step(self, step: str, whole: bool) -> None:
        self.broker.plan = [step, "ok"]
        self.broker.whole_waves = whole
        before = len(self.broker.received)
        self.bench.clock.pass_s(31)
        self.bench.sender.step()
        if step == "lost answer":
            self.may_repeat.update(self.broker.ids[before:])

    @rule(by_ms=st.sampled_from([-86_400_000, -3_600_000, 3_600_000, 86_400_000]))
    def jump(self, by_ms: int) -> None:
        self.bench.clock.wall_ms += by_ms

    @rule()
    def crash_and_start(self) -> None:
        self.bench.restart()

    @precondition(lambda self: self.bench.outbox.pending)
    @rule()
    def crash_between_answer_and_mark(self) -> None:
        self.broker.plan = ["ok"]
        before = len(self.broker.received)

        def killed(self: Outbox, *_: object) -> None:
            raise Killed

        with pytest.MonkeyPatch.context() as patched, suppress(Killed):
            patched.setattr(Outbox, "acknowledge", killed)
            self.bench.clock.pass_s(31)
            self.bench.sender.step()
        self.may_repeat.update(self.broker.ids[before:])
        self.bench.restart()

    @rule()
    def forget_what_was_set_aside(self) -> None:
        rows = self.bench.outbox.aside()
        assert {self.stored[row.seq - 1] for row in rows} <= self.bad
        self.bench.outbox.forget_aside([row.seq for row in rows])

    @invariant()
    def nothing_is_lost_and_the_first_arrivals_are_in_order(self) -> None:
        ids = self.broker.ids
        first = list(dict.fromkeys(ids))
        assert first == sorted(first)
        waiting = {self.stored[frame.seq - 1] for frame in self.bench.outbox.waiting(10 * MOST, 1 << 30)}
        assert set(self.stored) == set(ids) | waiting | self.bad
        assert len(waiting) == self.bench.outbox.pending
        assert {name for name in set(ids) if ids.count(name) > 1} <= self.may_repeat

    def teardown(self) -> None:
        self.broker.plan = ["ok"]
        self.bench.clock.pass_s(31)
        self.bench.send(200)
        assert set(self.broker.ids) == set(self.stored) - self.bad
        self.bench.crash()
        shutil.rmtree(self.folder)


TestCounter = Counter.TestCase
TestCounter.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
