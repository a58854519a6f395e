"""What the nightly search met, noted for staff once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounts import clock
from accounts.models import ErasureNeedle, ResidueFinding

#: Keyed hash of a word -> what the word is, and of which erasure.
Needles = dict[bytes, tuple[str, int]]


@dataclass(frozen=True)
class Met:
    """A row in which something was met."""

    table: str
    column: str
    row: str
    what: str
    deletion_id: int | None


def needles() -> Needles:
    """Of everybody whose erasure is completed and whose search is not over."""
    rows = ErasureNeedle.objects.filter(deletion__state="completed", until__gte=clock.now())
    return {bytes(needle.digest): (needle.what, needle.deletion_id) for needle in rows}


def note(met: Iterable[Met]) -> int:
    """Note what is new; returns how many."""
    noted = 0
    for found in met:
        _finding, created = ResidueFinding.objects.get_or_create(
            deletion_id=found.deletion_id,
            table=found.table,
            row=found.row[:200],
            what=found.what,
            defaults={"column": found.column, "found_at": clock.now()},
        )
        noted += created
    return noted
