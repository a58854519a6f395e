"""PostgreSQL array literals: faster than adapting many numbers one by one."""

from __future__ import annotations

from collections.abc import Iterable


def bigints(numbers: Iterable[int]) -> str:
    """A literal for `%s::bigint[]`."""
    return "{" + ",".join(map(str, numbers)) + "}"
