"""Order of a list other than by time of following, kept up to date incrementally.

Built once for an order and then updated person by person, so that a page of a million costs as much
as a page of a hundred.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from accounts.instagram.sandbox.mixing import WORD, mix

BLOCK: Final = 1000
# One of so many people is placed on top in the order `relevance`.
FAVOURED: Final = 8
_TOP: Final = 1 << 63


@dataclass(frozen=True)
class Order:
    """`kind`: one of ORDERS but random_each_time. `salt` seeds the order; `day` changes it."""

    kind: str
    salt: int
    day: int = 0

    def key(self, number: int, followed: int) -> int:
        """Higher keys come first; no two people have the same (below 2**64)."""
        if self.kind == "reversed":
            return _TOP - followed
        if self.kind == "fixed_random":
            return mix(number, self.salt)
        favoured = mix(number, self.salt + self.day) % FAVOURED == 0
        return _TOP + followed if favoured else followed


class Arrangement:
    """Blocks of keys, ascending, with the people beside them."""

    def __init__(self, order: Order, people: Iterable[tuple[int, int]]) -> None:
        self.order = order
        sorted_people = sorted((order.key(number, key), number) for number, key in people)
        self._keys: list[array[int]] = []
        self._numbers: list[array[int]] = []
        for start in range(0, len(sorted_people), BLOCK):
            part = sorted_people[start : start + BLOCK]
            self._keys.append(array("Q", (key for key, _number in part)))
            self._numbers.append(array("q", (number for _key, number in part)))

    def insert(self, number: int, followed: int) -> None:
        """Add a follower."""
        key = self.order.key(number, followed)
        if not self._keys:
            self._keys.append(array("Q", [key]))
            self._numbers.append(array("q", [number]))
            return
        index = self._block(key)
        keys, numbers = self._keys[index], self._numbers[index]
        place = bisect_left(keys, key)
        keys.insert(place, key)
        numbers.insert(place, number)
        if len(keys) > 2 * BLOCK:
            self._keys[index : index + 1] = [keys[:BLOCK], keys[BLOCK:]]
            self._numbers[index : index + 1] = [numbers[:BLOCK], numbers[BLOCK:]]

    def remove(self, number: int, followed: int) -> None:
        """Remove a person who followed at `followed`."""
        key = self.order.key(number, followed)
        index = self._block(key)
        place = bisect_left(self._keys[index], key)
        del self._keys[index][place], self._numbers[index][place]
        if not self._keys[index]:
            del self._keys[index], self._numbers[index]

    def below(self, key: int | None) -> Iterator[tuple[int, int]]:
        """(person, key in this order) of people below `key` (None: all), from the top."""
        last = len(self._keys)
        if key is not None:
            last = bisect_left(self._keys, key, key=lambda keys: keys[0])
        for index in range(last - 1, -1, -1):
            keys, numbers = self._keys[index], self._numbers[index]
            end = len(keys) if key is None else bisect_left(keys, min(key, WORD))
            yield from zip(reversed(numbers[:end]), reversed(keys[:end]), strict=True)

    def _block(self, key: int) -> int:
        """The last block that begins at `key` or below; else the first block."""
        place = bisect_left(self._keys, key + 1, key=lambda keys: keys[0])
        return max(place - 1, 0)
