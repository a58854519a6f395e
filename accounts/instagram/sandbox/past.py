"""Past states of lists and people, for answers from a stale replica."""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from typing import Generic, TypeVar

# Older changes are dropped, so that memory stays bounded.
MOST: int = 200_000

State = TypeVar("State")


@dataclass
class Past(Generic[State]):
    """For each change: when (microseconds), of whom, and the state before it."""

    entries: list[tuple[int, int, int]] = field(default_factory=list)
    before: dict[int, State] = field(default_factory=dict)
    made: int = 0

    def note(self, at: int, number: int, before: State) -> None:
        """Record that `number` changes now, and was `before` until then."""
        self.made += 1
        insort(self.entries, (at, self.made, number))
        self.before[self.made] = before
        if len(self.entries) > MOST:
            for _at, made, _number in self.entries[: MOST // 2]:
                del self.before[made]
            del self.entries[: MOST // 2]

    def at(self, moment: int) -> dict[int, State]:
        """For everybody who has changed since `moment`: the state at that moment."""
        first = bisect_right(self.entries, moment, key=lambda entry: entry[0])
        return {number: self.before[made] for _at, made, number in reversed(self.entries[first:])}
