"""What the documentation shows can be used as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

from loket.importing.mapping_file import parse_mapping
from loket.targets.reading import read_targets

DOCS = Path(__file__).parents[3] / "docs"


def blocks(page: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("block", blocks("import.md"))
def test_each_mapping_of_the_page_is_one(block: str) -> None:
    assert parse_mapping("import.md", block.encode()).events


def test_the_targets_of_the_page_are_some() -> None:
    whole, *parts = blocks("targets.md")
    assert read_targets("targets.md", whole.encode()).policy.units
    for part in parts:  # what may stand under `defaults`
        read_targets("targets.md", f"defaults:\n{indent(part, '  ')}".encode())
