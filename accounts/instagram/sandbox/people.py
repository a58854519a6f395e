"""The sandbox's people: a number each, from which id and username are computed.

So a million people take no memory until they are rendered, and the same seed gives the same people.
Ids have 17 digits and begin with 1784, as Instagram's professional ids do.
"""

from __future__ import annotations

import random
from collections import ChainMap
from collections.abc import Iterable, MutableMapping

from accounts.instagram.sandbox.past import Past
from accounts.instagram.sandbox.words import FIRST, LAST, SEPARATORS, SUFFIXES

ID_BASE = 17_840_000_000_000_000
ID_SPACE = 10**13
# Odd and no multiple of 5, so that multiplying by it modulo 10**13 can be undone.
ID_STEP = 7_351_902_418_627
ID_STEP_UNDONE = pow(ID_STEP, -1, ID_SPACE)
NAME_SPACE = len(FIRST) * len(SEPARATORS) * len(LAST) * len(SUFFIXES)
# A prime larger than any factor of the space, so that it steps through all names.
NAME_STEP = 15_485_863


class People:
    """Allocates numbers and computes names. A new name uses up a number too."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(f"people {seed}")
        self._id_offset = rng.randrange(ID_SPACE)
        self._name_offset = rng.randrange(NAME_SPACE)
        self._next = 0
        self._new_names: dict[int, str] = {}
        self.inactive: set[int] = set()
        # Their names, and whether they were deactivated, before each change.
        self.past: Past[tuple[str, bool]] = Past()

    def new(self, count: int) -> range:
        """Allocate `count` new people. Raises ValueError when names run out."""
        if self._next + count > NAME_SPACE:
            raise ValueError(f"there are only {NAME_SPACE} usernames")
        numbers = range(self._next, self._next + count)
        self._next += count
        return numbers

    def id_of(self, number: int) -> int:
        return ID_BASE + (number * ID_STEP + self._id_offset) % ID_SPACE

    def number_of(self, instagram_id: int) -> int | None:
        """None if nobody has this id."""
        if not ID_BASE <= instagram_id < ID_BASE + ID_SPACE:
            return None
        number = (instagram_id - ID_BASE - self._id_offset) * ID_STEP_UNDONE % ID_SPACE
        return number if number < self._next else None

    def username_of(self, number: int) -> str:
        return self._new_names.get(number) or self._born(number)

    def note(self, number: int, at: int) -> None:
        """Record this person's state before a change."""
        self.past.note(at, number, (self.username_of(number), number in self.inactive))

    def rename(self, number: int, username: str | None = None) -> str:
        """Assign an unused name, or the given one (names are re-used in reality)."""
        self._new_names[number] = username or self._born(self.new(1)[0])
        return self._new_names[number]

    def rows(
        self, numbers: Iterable[int], names: MutableMapping[int, str] | None = None
    ) -> list[str]:
        """Each person's row in a follower list, with a comma after each.

        `names` are names of another time; people not in it have their present name.
        """
        # The two look-ups are inlined: this line renders lists of a million.
        id_offset, born = self._id_offset, self._born
        new_names = ChainMap(names, self._new_names) if names else self._new_names
        return [
            f'{{"id":"{ID_BASE + (number * ID_STEP + id_offset) % ID_SPACE}",'
            f'"username":"{new_names.get(number) or born(number)}"}},'
            for number in numbers
        ]

    def _born(self, number: int) -> str:
        rest, suffix = divmod((number * NAME_STEP + self._name_offset) % NAME_SPACE, len(SUFFIXES))
        rest, last = divmod(rest, len(LAST))
        first, separator = divmod(rest, len(SEPARATORS))
        return FIRST[first] + SEPARATORS[separator] + LAST[last] + SUFFIXES[suffix]
