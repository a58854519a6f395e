"""Facts about an archive and its followers, common to all dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from followersync.sources.archive.batches import ColumnBatch


@dataclass(frozen=True, slots=True)
class Range:
    """The span of follow seconds among `dated` of `rows` people."""

    oldest: int | None = None
    newest: int | None = None
    dated: int = 0
    rows: int = 0

    def including(self, seconds: list[int | None]) -> Range:
        """The range with these people added."""
        known = [s for s in seconds if s is not None]
        rows = self.rows + len(seconds)
        if not known:
            return replace(self, rows=rows)
        oldest, newest = min(known), max(known)
        return Range(
            oldest if self.oldest is None else min(self.oldest, oldest),
            newest if self.newest is None else max(self.newest, newest),
            self.dated + len(known),
            rows,
        )


@dataclass(slots=True)
class Archive:
    """One opened export: what its names and headers state, and its followers as a stream.

    `owner_username` and `exported_on` are None where the archive does not state them. `owner_hint`
    is a word at the place of an owner in a name that anybody may have chosen: it may support a
    guess and proves nothing. `approximate`: times are right to a minute at best (HTML). `following`
    spans the accounts the owner follows, None where that list is absent or unreadable. `source`
    reads the followers and completes the archive: `part_ranges`, `nameless`, `nameless_undated` and
    `total` are valid once `batches()` has been read to its end.
    """

    owner_username: str | None
    owner_hint: str | None
    exported_on: date | None
    dialect: str
    parts: tuple[int, ...]
    missing_parts: tuple[int, ...]
    following: Range | None
    source: Callable[[Archive], Iterator[ColumnBatch]]
    part_ranges: dict[int, Range] = field(default_factory=dict)
    nameless: list[int] = field(default_factory=list)
    nameless_undated: int = 0

    @property
    def approximate(self) -> bool:
        """Whether its times are right to a minute at best."""
        return self.dialect == "html"

    @property
    def total(self) -> int:
        """Rows read, repeated names included."""
        return sum(part.rows for part in self.part_ranges.values())

    @property
    def unnamed(self) -> int:
        """Rows without a name."""
        return len(self.nameless) + self.nameless_undated

    @property
    def span(self) -> Range:
        """The span of all parts."""
        found = [part for part in self.part_ranges.values() if part.oldest is not None]
        return Range(
            min((p.oldest for p in found if p.oldest is not None), default=None),
            max((p.newest for p in found if p.newest is not None), default=None),
            sum(p.dated for p in self.part_ranges.values()),
            self.total,
        )

    def batches(self) -> Iterator[ColumnBatch]:
        """Every follower, part by part; ArchiveError at the first thing that is not understood.

        Rows without a name (deleted people) are left out; their seconds are in `nameless`, so that
        people with the same second are not taken for lost. Many of them are a wrong shape.
        """
        self.part_ranges, self.nameless, self.nameless_undated = {}, [], 0
        return self.source(self)
