"""Which cases of a parametrized test run in the fast lane; README.md has the rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(share: int, cases: Iterable[Any]) -> list[Any]:
    """Each `share`th case, the first included, runs in both lanes; the others are slow."""
    return [case if number % share == 0 else _slow(case) for number, case in enumerate(cases)]


def first(cases: Iterable[Any], count: int = 1) -> list[Any]:
    """The first `count` cases run in both lanes; the others are slow."""
    return [case if number < count else _slow(case) for number, case in enumerate(cases)]


def _slow(case: Any) -> Any:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.slow)
