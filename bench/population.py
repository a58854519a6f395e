"""Seeded population of followers: ids, usernames, follow times, and changes.

Usernames are composed as people compose theirs, so that prefixes are shared, lengths differ (3 to
30 characters) and indexes and compression behave as in reality.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

FIRST = (
    "anna ben cem dora emre fatma gus hana ivan julia kofi lena mehmet nora omar paula quentin "
    "rosa sven tara umut vera will xenia yusuf zoe maria jose david laura priya wei chen sofia "
    "luca mia noah elif kaan marta pedro ines tomas olga piotr aisha ali sara max leo"
).split()
LAST = (
    "yilmaz smith garcia muller kim silva rossi novak kaya martin lopez jansen berg costa haddad "
    "khan singh tanaka okafor fischer weber demir santos perez moreau petrov ivanova larsen"
).split()
WORD = (
    "photo official art travel food fit studio music style daily world life design tattoo cafe "
    "yoga vegan books games cars beauty real its the mr"
).split()
JOINTS = ("", "", ".", "_", "_", "__")
FIRST_ID = 17_841_400_000_000_000
IDS = 10**11
NEWEST = 1_735_000_000
DAY = 86_400
LONGEST = 30


@dataclass(slots=True)
class Churn:
    """The feed entries expected from one round of changes."""

    gained: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    renamed: set[tuple[str, str]] = field(default_factory=set)


class Population:
    """The true list, newest first: `ids`, `names` and `seconds` (Unix) are columns."""

    def __init__(self, size: int, seed: int = 1, newest: int = NEWEST) -> None:
        self._random = random.Random(seed)
        self._taken: set[str] = set()
        self.ids = [FIRST_ID + each for each in self._random.sample(range(IDS), size)]
        self._next_id = FIRST_ID + IDS
        self.names = self._new_names(size)
        self.seconds = self._follow_times(size, newest)
        self.past: list[tuple[str, int]] = []
        self.past_ids: list[int] = []

    def __len__(self) -> int:
        return len(self.names)

    def rows(self) -> Iterator[tuple[int, str]]:
        return zip(self.ids, self.names, strict=True)

    def churn(self, *, gained: int, lost: int, renamed: int) -> Churn:
        """Some leave, some are renamed, some follow; the first and last of the list stay."""
        made = Churn()
        inner = range(len(self) // 20 + 1, len(self) - len(self) // 20 - 1)
        chosen = self._random.sample(inner, lost + renamed)
        for index in chosen[lost:]:
            (name,) = self._new_names(1)
            made.renamed.add((self.names[index], name))
            self.names[index] = name
        for index in sorted(chosen[:lost], reverse=True):
            made.lost.add(self.names[index])
            self.past.append((self.names.pop(index), self.seconds.pop(index)))
            self.past_ids.append(self.ids.pop(index))
        made.gained.update(self._come(gained))
        return made

    def _come(self, count: int) -> list[str]:
        """After the day of the last export; no two people follow in the same second."""
        names = self._new_names(count)
        begun = self.seconds[0] + 4 * DAY
        times = self._random.sample(range(begun + 1, begun + max(DAY, count) + 1), count)
        self.names[:0] = names
        self.seconds[:0] = sorted(times, reverse=True)
        self.ids[:0] = range(self._next_id, self._next_id + count)
        self._next_id += count
        return names

    def _follow_times(self, size: int, newest: int) -> list[int]:
        """At most ten years, denser in the later ones."""
        spread = max(2, min(7200, 8 * 365 * DAY // max(size, 1)))
        second, times = newest, []
        for gap in self._random.choices(range(1, spread), k=size):
            times.append(second)
            second -= gap
        return times

    def _new_names(self, count: int) -> list[str]:
        draw = self._random.choices
        parts = zip(
            draw(FIRST, k=count),
            draw(JOINTS, k=count),
            draw((*LAST, *LAST, *WORD, ""), k=count),
            draw(("", "", ".", "_"), k=count),
            draw(("", "", "x", "01", "tr", "_de", ".br"), k=count),
            strict=True,
        )
        return [self._unique("".join(part).strip(".")) for part in parts]

    def _unique(self, stem: str) -> str:
        """Most names are taken, so people append digits: few first, then more."""
        name, digits = stem[:LONGEST], 1
        while len(name) < 3 or name in self._taken:
            number = str(self._random.randrange(10**digits))
            name = stem[: LONGEST - len(number)] + number
            digits = min(9, digits + 1)
        self._taken.add(name)
        return name
