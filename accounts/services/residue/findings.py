"""What the nightly search met, noted for staff once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from accounts import clock
from accounts.models import ErasureNeedle, ResidueFinding
from accounts.services.erasure import identifiers


@dataclass(frozen=True)
class ErasedIdentifierHashes:
    """`known`: keyed hash of a word -> what the word is, and of which erasure."""

    known: Mapping[bytes, tuple[str, int]]
    lengths: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.known)

    def met(self, found: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Those among words of a text; only words of a needle's length are hashed."""
        for word in found:
            if len(word) in self.lengths or 0 in self.lengths:
                known = self.known.get(identifiers.needle(word))
                if known is not None:
                    yield known


@dataclass(frozen=True)
class Finding:
    """A row in which something was met."""

    table: str
    column: str
    row: str
    what: str
    deletion_id: int | None


def needles() -> ErasedIdentifierHashes:
    """Of everybody whose erasure is completed and whose search is not over."""
    rows = ErasureNeedle.objects.filter(deletion__state="completed", until__gte=clock.now())
    found = list(rows)
    return ErasedIdentifierHashes(
        {bytes(needle.digest): (needle.what, needle.deletion_id) for needle in found},
        frozenset(needle.length for needle in found),
    )


def note(met: Iterable[Finding]) -> int:
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
