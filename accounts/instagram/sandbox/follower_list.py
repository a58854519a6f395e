"""One account's followers in order of following, served newest first.

Compact (two machine integers a person) and quick: people are in blocks of about a thousand, each of
which caches its rows as bytes until one of them changes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from accounts.instagram.sandbox.arrangement import Arrangement
from accounts.instagram.sandbox.people import People

BLOCK = 1000


@dataclass
class View:
    """A block as its rows are sent: newest first, without the deactivated.

    `body[ends[i - 1]:ends[i]]` is the i-th row with its comma.
    """

    keys: array[int]
    ends: array[int]
    body: bytes


@dataclass
class Block:
    """`keys`: when each person followed, in microseconds, unique and ascending."""

    numbers: array[int] = field(default_factory=lambda: array("q"))
    keys: array[int] = field(default_factory=lambda: array("q"))
    view: View | None = None


@dataclass(frozen=True)
class Slice:
    """Rows as JSON, with a comma after each; the keys of its first and last row (0: no row)."""

    count: int
    newest: int
    oldest: int
    body: bytes
    more: bool


class FollowerList:
    def __init__(self, people: People) -> None:
        self.people = people
        self.blocks: list[Block] = []
        self.length = 0
        # A person's key follows from their number, except for later followers.
        self._first: tuple[range, int, int] = (range(0), 0, 1)
        self._moved: dict[int, int | None] = {}
        # The same people in another order, kept up to date once it was requested.
        self.arranged: Arrangement | None = None

    def fill(self, numbers: range, *, since: int, until: int) -> None:
        """Add people who followed one after the other between two times (microseconds)."""
        self._first = (numbers, since, max((until - since) // max(len(numbers), 1), 1))
        for start in range(0, len(numbers), BLOCK):
            part = numbers[start : start + BLOCK]
            keys = map(self._first_key, range(start, start + len(part)))
            self.blocks.append(Block(array("q", part), array("q", keys)))
        self.length += len(numbers)

    def _first_key(self, index: int) -> int:
        """A jitter below the gap keeps the order and varies the intervals."""
        _numbers, since, gap = self._first
        return since + index * gap + index * 2_654_435_761 % gap

    def key_of(self, number: int) -> int | None:
        """When this person followed; None if they do not follow now."""
        if number in self._moved:
            return self._moved[number]
        numbers = self._first[0]
        return self._first_key(number - numbers.start) if number in numbers else None

    def append(self, number: int, key: int) -> None:
        """Add a follower at the newest end, at `key` or just after the last one."""
        unique_key = max(key, self.blocks[-1].keys[-1] + 1 if self.blocks else 0)
        if not self.blocks or len(self.blocks[-1].keys) >= BLOCK:
            self.blocks.append(Block())
        block = self.blocks[-1]
        block.numbers.append(number)
        block.keys.append(unique_key)
        block.view = None
        self._moved[number] = unique_key
        self.length += 1
        if self.arranged is not None:
            self.arranged.insert(number, unique_key)

    def remove(self, number: int) -> None:
        """Raises KeyError if they do not follow."""
        key = self.key_of(number)
        if key is None:
            raise KeyError(number)
        block = self._block_at(key)
        place = bisect_left(block.keys, key)
        del block.numbers[place], block.keys[place]
        block.view = None
        self._moved[number] = None
        self.length -= 1
        if self.arranged is not None:
            self.arranged.remove(number, key)
        if not block.numbers:
            self.blocks.remove(block)

    def _block_at(self, key: int) -> Block:
        return self.blocks[bisect_right(self.blocks, key, key=lambda block: block.keys[0]) - 1]

    def touch(self, number: int) -> None:
        """The person's row has changed (renamed, deactivated, reactivated)."""
        key = self.key_of(number)
        if key is not None:
            self._block_at(key).view = None

    def at(self, place: int) -> int:
        """The person at `place`, counted from the oldest."""
        for block in self.blocks:
            if place < len(block.numbers):
                return block.numbers[place]
            place -= len(block.numbers)
        raise IndexError(place)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """(person, key), newest first, the deactivated too."""
        for block in reversed(self.blocks):
            yield from zip(reversed(block.numbers), reversed(block.keys), strict=True)

    def below(self, key: int | None) -> Iterator[tuple[int, int]]:
        """(person, key) of those who followed before `key` (None: all), newest first."""
        last = len(self.blocks)
        if key is not None:
            last = bisect_left(self.blocks, key, key=lambda block: block.keys[0])
        for index in range(last - 1, -1, -1):
            block = self.blocks[index]
            end = len(block.keys) if key is None else bisect_left(block.keys, key)
            yield from zip(reversed(block.numbers[:end]), reversed(block.keys[:end]), strict=True)

    def hidden(self) -> int:
        """How many are in the list but deactivated, and so not shown."""
        return sum(self.key_of(number) is not None for number in self.people.inactive)

    def places(self) -> list[int]:
        """For each block, how many people come before it, from the oldest; for `at_place`."""
        return list(accumulate((len(block.numbers) for block in self.blocks), initial=0))

    def at_place(self, places: list[int], place: int) -> tuple[int, int]:
        """(person, key) at `place` from the oldest; IndexError past the newest."""
        index = bisect_right(places, place) - 1
        if index >= len(self.blocks):
            raise IndexError(place)
        block, within = self.blocks[index], place - places[index]
        return block.numbers[within], block.keys[within]

    def up_to(self, key: int) -> int:
        """How many followed at `key` or before, the deactivated too."""
        return sum(bisect_right(block.keys, key) for block in self.blocks)

    def followed_between(self, since: int, until: int) -> int:
        """How many current followers followed in [since, until), in microseconds."""
        return sum(
            bisect_left(block.keys, until) - bisect_left(block.keys, since) for block in self.blocks
        )

    def before(self, key: int | None, limit: int, floor: int = 0) -> Slice:
        """Up to `limit` rows older than `key` (None: from the top), none at or below `floor`."""
        count = newest = oldest = 0
        parts: list[bytes] = []
        for view in self._views_below(key):
            start = 0 if key is None else _first_below(view.keys, key)
            stop = min(start + limit - count, _first_below(view.keys, floor + 1))
            if stop > start:
                count, newest, oldest = (
                    count + stop - start,
                    newest or view.keys[start],
                    view.keys[stop - 1],
                )
                parts.append(view.body[view.ends[start - 1] if start else 0 : view.ends[stop - 1]])
            if stop < len(view.keys):
                return Slice(count, newest, oldest, b"".join(parts), more=count == limit)
        return Slice(count, newest, oldest, b"".join(parts), more=False)

    def key_at(self, offset: int) -> int | None:
        """The key of the row `offset` rows from the top as shown; None past the end."""
        for view in self._views_below(None):
            if offset < len(view.keys):
                return view.keys[offset]
            offset -= len(view.keys)
        return None

    def render(self) -> None:
        """Render every row, so that the first reader waits no longer than the second."""
        for _view in self._views_below(None):
            pass

    def _views_below(self, key: int | None) -> Iterator[View]:
        last = len(self.blocks)
        if key is not None:
            last = bisect_left(self.blocks, key, key=lambda block: block.keys[0])
        for index in range(last - 1, -1, -1):
            block = self.blocks[index]
            if block.view is None:
                block.view = self._view(block)
            if block.view.keys:
                yield block.view

    def _view(self, block: Block) -> View:
        inactive = self.people.inactive
        numbers, keys = block.numbers, block.keys
        if inactive and not inactive.isdisjoint(numbers):
            shown = [i for i, number in enumerate(numbers) if number not in inactive]
            numbers = array("q", (numbers[i] for i in shown))
            keys = array("q", (keys[i] for i in shown))
        rows = self.people.rows(reversed(numbers))
        return View(
            array("q", reversed(keys)),
            array("q", accumulate(map(len, rows))),
            "".join(rows).encode(),
        )


def _first_below(descending: array[int], key: int) -> int:
    """The first place in a descending array whose value is below `key`."""
    return bisect_right(descending, -key, key=lambda value: -value)
