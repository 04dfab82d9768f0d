"""What a page is made of, before it is known where it will be shown: sentences and tables."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

__all__ = ["Grid", "Page"]


class Grid(Struct, frozen=True):
    """A table: the first column names, the others are numbers. `strong` and `faint` are rows by their index."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    strong: frozenset[int] = frozenset()
    faint: frozenset[int] = frozenset()


class Page(Struct):
    """A title, sentences, tables, and what is to be known of them."""

    title: str
    sentences: list[str] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
