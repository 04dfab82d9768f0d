"""Fuzzing by mutation: valid inputs, spoilt in every way that we could think of, given to a reader again and again.

A campaign is a function of its seed: the same seed makes the same inputs. It fails with the seed, the number of the
input and the input itself, and holds each input to three things: nothing is raised but what the reader may raise, it
takes no longer than LONGEST_S, and all together leave no memory behind.
"""

from __future__ import annotations

import gc
import json
import os
import random
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import pytest

__all__ = [
    "LARGEST_BYTES",
    "LONGEST_S",
    "SEEDS",
    "TEXTS",
    "Campaign",
    "Mutator",
    "Tree",
    "seed_of",
    "shown_harmlessly",
    "sizes",
    "took_s",
]

LONGEST_S: Final = 0.050
"""No input may take longer, as `took_s` measures it."""

YARDSTICK_S: Final = 0.0185
"""What `_yardstick` takes where the limits were set; a machine on which it takes longer is given longer."""

GROWTH_BYTES: Final = 48 * 1024 * 1024
"""What a campaign may leave behind after its warm-up: caches have their bounds, a leak grows with every input."""

SAMPLE_SEED: Final = 20260131
"""Of the sample that every `make test` runs: the same each time."""

LARGEST_BYTES: Final = 1 << 20
"""The largest value that the topic takes."""

MAX_BYTES: Final = 6 * 1024
"""Of a mutated input, but for the few that are blown up."""

SEEDS: Final[dict[str, int]] = {}
"""The seed of each campaign of this run, told at its end."""

_Input = TypeVar("_Input")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[A-Za-z0-9_.+-]+|[ \t]+|\r?\n[ ]*|.', re.DOTALL)

TEXTS: Final = (
    "",
    " ",
    "\0",
    "a\0b",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "\u2066\u2069",
    "a\u200bb",
    "\ufeff",
    "\ufffe",
    "\uffff",
    "\u2028",
    "\x85",
    "a\rb",
    "tab\tline\nend",
    "e\u0301" * 40,
    "\u0130\u0131\u017f\u212a",
    "１２３４５６７８９０１２３４５６",
    "\u0661\u0662\u0663",
    "\U0001f600",
    "\U000e0041",
    "x" * 128,
    "x" * 129,
    "x" * 257,
    "é" * 128,
    "é" * 129,
    "3174012345670001",
    "197001011990031001",
    "other",
    "null",
    "../../etc/passwd",
    "[red]markup[/red]",
    "';DROP TABLE archive;--",
    '"},{"',
    "%s%n%x",
    "${jndi:ldap://x}",
    "=cmd|' /C calc'!A0",
    "2026-01-31",
    "2026-02-30",
    "0000-00-00",
    "2026-01-31T09:00:00",
    "2026-01-31T09:00:00Z",
    "2026-01-31t09:00:00.000000000000000000001+0700",
    "2026-06-30T23:59:60Z",
    "2026-01-31T24:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-W05-6T09:00:00Z",
    "1e9",
    "-0",
)
"""Texts that readers have stumbled over, here or elsewhere."""

_ANYWHERE: Final = (
    *(text.encode() for text in TEXTS),
    b"\xff",
    b"\xc0\x80",  # a zero in two bytes
    b"\xed\xa0\x80",  # a surrogate
    b"\xf4\x90\x80\x80",  # beyond Unicode
    b"\xe2\x80",  # cut short
    b"\xef\xbb\xbf",
    b"0",
    b"-1",
    b"00",
    b"1e999",
    b"-1e999",
    b"1e-999",
    b"0.1",
    b"2.0",
    b"9007199254740993",
    b"9223372036854775808",
    b"18446744073709551616",
    b"9" * 400,
    b"NaN",
    b"Infinity",
    b"true",
    b"null",
    b"[]",
    b"{}",
    b"[[]]",
    b'"',
    b"\\",
    b"'",
    b",",
    b":",
    b"\n",
    b"\r",
    b"\t",
)


def seed_of(name: str, *, long: bool) -> int:
    """The seed of a campaign: FUZZ_SEED, else always the same in the sample and another in every long run."""
    given = os.environ.get("FUZZ_SEED")
    seed = int(given) if given else secrets.randbits(32) if long else SAMPLE_SEED
    SEEDS[name] = seed
    return seed


def shown_harmlessly(message: str) -> bool:
    """Whether a message moves no cursor and turns no text around on a terminal."""
    return all(line.isprintable() for line in message.split("\n"))


def sizes(sample: int, long: int) -> Iterable[object]:
    """The parameters of a fuzz test: how many inputs, in the sample and in `make test-long`."""
    return [pytest.param(sample, id="sample"), pytest.param(long, id="long", marks=pytest.mark.long)]


class Mutator:
    """Makes spoilt inputs of valid ones. `dictionary` are tokens that mean something in their format.

    A few are blown up to `largest` bytes: what is read as a whole must not take long whatever its size is, while a file
    that is read piece by piece may take as long as it has pieces.
    """

    def __init__(
        self, valid: Sequence[bytes], dictionary: Sequence[bytes], rng: random.Random, *, largest: int = MAX_BYTES
    ) -> None:
        self._valid = [_TOKEN.findall(text) for text in valid]
        self._dictionary = (*dictionary, *_ANYWHERE)
        self._rng = rng
        self._largest = largest
        self._of_tokens = (
            self._replace,
            self._replace,
            self._replace,
            self._insert,
            self._insert,
            self._delete,
            self._delete,
            self._swap,
            self._repeat,
            self._move,
            self._splice,
            self._nest,
        )
        self._of_bytes = (self._flip, self._byte, self._cut_short, self._drop, self._character)

    def make(self) -> bytes:
        """One input: mostly a few mutations away from a valid one, seldom valid, very seldom huge."""
        rng = self._rng
        tokens = list(rng.choice(self._valid))
        dice = rng.random()
        if dice < 0.02:
            return b"".join(tokens)
        if dice > 0.9995:
            return self._blown_up(tokens)
        for _ in range(1 + int(rng.expovariate(0.8))):
            if rng.random() < 0.75 and tokens:
                rng.choice(self._of_tokens)(tokens)
            else:
                tokens = [rng.choice(self._of_bytes)(b"".join(tokens))]
        return b"".join(tokens)[:MAX_BYTES]

    def _place(self, among: Sized) -> int:
        return int(self._rng.random() * len(among))

    def _replace(self, tokens: list[bytes]) -> None:
        tokens[self._place(tokens)] = self._rng.choice(self._dictionary)

    def _insert(self, tokens: list[bytes]) -> None:
        tokens.insert(self._place(tokens), self._rng.choice(self._dictionary))

    def _delete(self, tokens: list[bytes]) -> None:
        start = self._place(tokens)
        del tokens[start : start + self._rng.choice((1, 1, 1, 2, 5, 20))]

    def _swap(self, tokens: list[bytes]) -> None:
        one, other = self._place(tokens), self._place(tokens)
        tokens[one], tokens[other] = tokens[other], tokens[one]

    def _repeat(self, tokens: list[bytes]) -> None:
        start = self._place(tokens)
        part = tokens[start : start + self._rng.choice((1, 2, 4, 9, 20))]
        tokens[start:start] = part * self._rng.choice((1, 1, 2, 10, 100))

    def _move(self, tokens: list[bytes]) -> None:
        start = self._place(tokens)
        stop = start + self._rng.choice((1, 3, 8))
        part = tokens[start:stop]
        del tokens[start:stop]
        at = self._place(tokens)
        tokens[at:at] = part

    def _splice(self, tokens: list[bytes]) -> None:
        other = self._rng.choice(self._valid)
        start = self._place(other)
        at = self._place(tokens)
        tokens[at : at + self._rng.choice((0, 3, len(tokens)))] = other[start : start + self._rng.choice((1, 5, 30))]

    def _nest(self, tokens: list[bytes]) -> None:
        opening, closing = self._rng.choice(((b"[", b"]"), (b"{", b"}"), (b'{"a":', b"}"), (b"- ", b"")))
        depth = self._rng.choice((1, 2, 30, 33, 200, 2_000))
        at = self._place(tokens)
        tokens[at] = opening * depth + tokens[at] + closing * depth

    def _flip(self, text: bytes) -> bytes:
        if not text:
            return b"\x80"
        at = self._place(text)
        return text[:at] + bytes((text[at] ^ (1 << self._rng.randrange(8)),)) + text[at + 1 :]

    def _byte(self, text: bytes) -> bytes:
        at = self._place(text)
        return text[:at] + bytes((self._rng.randrange(256),)) + text[at + self._rng.randrange(2) :]

    def _cut_short(self, text: bytes) -> bytes:
        return text[: self._place(text)]

    def _drop(self, text: bytes) -> bytes:
        at = self._place(text)
        return text[:at] + text[at + self._rng.choice((1, 2, 10, 100)) :]

    def _character(self, text: bytes) -> bytes:
        at = self._place(text)
        code = self._rng.choice((0x20, 0x100, 0x3000, 0x10000, 0x110000))
        return text[:at] + chr(self._rng.randrange(code)).encode("utf-8", "surrogatepass") + text[at:]

    def _blown_up(self, tokens: list[bytes]) -> bytes:
        """A token, or a few, repeated."""
        start = self._place(tokens)
        part = b"".join(tokens[start : start + self._rng.choice((1, 2, 8))]) or b"["
        if self._rng.random() < 0.5:
            part = self._rng.choice(self._dictionary) or part
        size = self._rng.choice((self._largest, self._largest // 4, self._largest // 16))
        at = self._place(tokens)
        return b"".join((*tokens[:at], part * max(1, size // len(part)), *tokens[at:]))[: self._largest]


class Tree:
    """Makes documents that stay JSON: parts of valid ones replaced, taken away, put elsewhere."""

    def __init__(self, valid: Sequence[Mapping[str, Any]], rng: random.Random) -> None:
        self._valid = [json.dumps(document) for document in valid]
        self._names = sorted({name for document in valid for name in _names(document)})
        self._rng = rng

    def make(self) -> bytes:
        """One document, a few changes away from a valid one."""
        rng = self._rng
        document = json.loads(rng.choice(self._valid))
        for _ in range(1 + int(rng.expovariate(1.2))):
            self._change(document)
        text = json.dumps(document, ensure_ascii=rng.random() < 0.5, separators=(",", ":"))
        # A lone surrogate is a character to Python and none to UTF-8.
        return text.encode("utf-8", "surrogatepass")[:LARGEST_BYTES]

    def _change(self, document: dict[str, Any]) -> None:
        rng = self._rng
        place: Any = document
        while isinstance(place, dict) and place:
            name = rng.choice(list(place))
            inside = place[name]
            if isinstance(inside, dict | list) and inside and rng.random() < 0.8:
                place = inside
                continue
            dice = rng.randrange(10)
            if dice == 0:
                del place[name]
            elif dice == 1:
                place[rng.choice((*self._names, rng.choice(TEXTS)))] = self._value(inside)
            else:
                place[name] = self._value(inside)
            return
        if isinstance(place, list):
            place[rng.randrange(len(place))] = self._value(place[0])

    def _value(self, before: Any) -> Any:
        rng = self._rng
        dice = rng.randrange(12)
        if dice < 5:
            return rng.choice(TEXTS)
        if dice == 5:
            return rng.choice(_NUMBERS)
        if dice == 6:
            return rng.choice((None, True, False, [], {}, [[]], [before], {"a": before}))
        if dice == 7:
            return [before] * rng.choice((2, 100, 101) if rng.random() < 0.99 else (3_000,))
        if dice == 8:
            nested: Any = before
            for _ in range(rng.choice((2, 28, 31, 33, 300))):
                nested = [nested]
            return nested
        if dice == 9 and isinstance(before, str):
            return before + rng.choice(TEXTS)
        if dice == 10:
            return rng.choice(TEXTS) * rng.choice((2, 7, 300))
        return chr(rng.choice((rng.randrange(0x20), rng.randrange(0x3000), rng.randrange(0x110000)))) * rng.randrange(
            1, 40
        )


def _names(document: Mapping[str, Any]) -> Iterator[str]:
    for name, value in document.items():
        yield name
        if isinstance(value, dict):
            yield from _names(value)


_NUMBERS: Final = (
    0,
    1,
    -1,
    4,
    5,
    2.0,
    0.5,
    -0.0,
    1e300,
    5e-324,
    10_000,
    10_001,
    2**53,
    2**53 + 1,
    2**63,
    2**64,
    10**400,
)


def took_s(call: Callable[[], object]) -> float:
    """The CPU seconds of a call where the limits were set: of the shortest of three, for a machine as fast as that.

    Neither what else the machine does counts, nor the collection of what other tests hold.
    """
    gc.collect()
    gc.disable()
    try:
        slower = max(1.0, min(_thread_s(_yardstick) for _ in range(3)) / YARDSTICK_S)
        return min(_thread_s(call) for _ in range(3)) / slower
    finally:
        gc.enable()


def _thread_s(call: Callable[[], object]) -> float:
    began = time.thread_time()
    call()
    return time.thread_time() - began


def _yardstick() -> None:
    """Work of the kind that the readers do: many small objects in a large dictionary."""
    held = {f"ce_{number}": (number, b"x") for number in range(60_000)}
    assert len(held) == 60_000


class Campaign(Generic[_Input]):
    """Gives many inputs to one reader, and counts what they come to by the word that the reader's check returns."""

    def __init__(self, make: Callable[[], _Input], read: Callable[[_Input], str], seed: int) -> None:
        self._make = make
        self._read = read
        self._seed = seed
        self.results: Counter[str] = Counter()

    def run(self, inputs: int) -> None:
        """Run; fails the test at the first input that does not hold."""
        read, make, count = self._read, self._make, self.results
        clock = time.perf_counter
        warm = max(inputs // 5, 500)
        before = _resident() if warm >= inputs else 0
        gc.collect()
        for number in range(inputs):
            if number == warm:
                gc.collect()
                before = _resident()
            found = make()
            began = clock()
            try:
                count[read(found)] += 1
            except Exception as error:
                raise AssertionError(self._told(number, found, f"raised {error!r}")) from error
            if clock() - began > LONGEST_S and (took := took_s(partial(self._read, found))) > LONGEST_S:
                raise AssertionError(self._told(number, found, f"took {1000 * took:.0f} ms"))
        gc.collect()
        grown = _resident() - before
        assert grown < GROWTH_BYTES, f"FUZZ_SEED={self._seed}: {grown / 1e6:.0f} MB left by {inputs} inputs"

    def _told(self, number: int, found: _Input, what: str) -> str:
        text = repr(found)
        shown = text if len(text) <= 4_000 else f"{text[:2_000]} … {text[-2_000:]} ({len(text)} characters)"
        return f"FUZZ_SEED={self._seed}, input {number} {what}: {shown}"


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
