"""What the shift does when an alert fires: the runbook's steps, as `make dashboards` writes them beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

__all__ = ["runbook_steps"]


@cache
def runbook_steps() -> Mapping[str, dict[str, list[str]]]:
    """The steps of each alert by its name, in each language (`id`, `en`)."""
    text = files("loket_streams.board").joinpath("runbook.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, list[str]]])
