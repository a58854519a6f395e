"""Findings of the nightly search, recorded once for staff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from accounts import clock
from accounts.models import ErasureNeedle, ResidueFinding
from accounts.services.erasure import identifiers


@dataclass(frozen=True)
class ErasedIdentifierHashes:
    """`known`: keyed hash of a word -> kind of the word, and its erasure."""

    known: Mapping[bytes, tuple[str, int]]
    lengths: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.known)

    def met(self, found: Iterable[str]) -> Iterator[tuple[str, int]]:
        """The known ones among words of a text; only words of a needle's length are hashed."""
        for word in found:
            if len(word) in self.lengths or 0 in self.lengths:
                known = self.known.get(identifiers.needle(word))
                if known is not None:
                    yield known


@dataclass(frozen=True)
class Finding:
    """A row in which something was found."""

    table: str
    column: str
    row: str
    what: str
    deletion_id: int | None


def needles() -> ErasedIdentifierHashes:
    """Of all completed erasures whose search is not over."""
    rows = ErasureNeedle.objects.filter(deletion__state="completed", until__gte=clock.now())
    found = list(rows)
    return ErasedIdentifierHashes(
        {bytes(needle.digest): (needle.what, needle.deletion_id) for needle in found},
        frozenset(needle.length for needle in found),
    )


def note(met: Iterable[Finding]) -> int:
    """Record new findings; returns how many."""
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
