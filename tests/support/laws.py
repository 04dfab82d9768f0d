"""Laws checked on many logs: a quick run by default, a long one behind the marker `long`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

__all__ = ["law"]

QUICK: Final = 40
LONG: Final = 2_000


def law(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[int], None]]:
    """Make a test of a law: `check` is called with what the strategies draw, and raises where the law is broken."""

    def decorate(check: Callable[..., None]) -> Callable[[int], None]:
        def test(examples: int) -> None:
            run = settings(
                max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
            )
            run(given(*strategies)(check))()

        test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
        parametrized: Callable[[int], None] = pytest.mark.parametrize(
            "examples", [QUICK, pytest.param(LONG, marks=[pytest.mark.long, pytest.mark.timeout(3_600)])]
        )(test)
        return parametrized

    return decorate
