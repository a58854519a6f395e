"""Instagram's exports, one after the other: a mirror of the rules that `store/imports.py` keeps in
SQL, run against the simulated world. (That the SQL says the same is shown by the tests of the
import; what is simulated here is whether the rule itself can be wrong.)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from random import Random

from followersync.domain.witness import LOOKS_SLOW, WAIT_SLOW
from followersync.sources.archive import Range
from followersync.sources.archive.assess import Kind, Listed, Stored, assess
from tests.simulation.world import DAY, World

Part = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Export:
    """Numbered parts, newest first; some may be missing. `minute`: times are rounded down to it."""

    parts: list[Part]
    minute: bool
    missing: bool

    @property
    def listed(self) -> dict[str, int]:
        return {name: second for part in self.parts for name, second in part}

    @property
    def ranges(self) -> list[tuple[int, int]]:
        return [(part[-1][1], part[0][1]) for part in self.parts if part]


def export(world: World, rng: Random, *, size: int) -> Export:
    """What a member may hand in: whole, of a range of dates, without a part, rounded."""
    people = sorted(
        (person for person in world.people if not person.hidden),
        key=lambda person: -person.followed_at,
    )
    minute = rng.random() < 0.2
    rows = [
        (person.name, person.followed_at // 60 * 60 if minute else person.followed_at)
        for person in people
    ]
    if rows and rng.random() < 0.2:
        since = rng.choice(rows)[1]
        rows = [row for row in rows if row[1] >= since]
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    missing = len(parts) > 1 and rng.random() < 0.2
    if missing:
        del parts[rng.randrange(len(parts))]
    return Export(parts, minute, missing)


@dataclass(frozen=True, slots=True)
class Held:
    """A row known by its name alone; `named_at`: when it came or was last renamed."""

    since: int
    named_at: int


@dataclass
class Account:
    """The list that exports alone keep. `lost`: whom the last import reported, with the follow."""

    held: dict[str, Held] = field(default_factory=dict)
    absences: dict[str, tuple[int, int]] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)

    def take(self, given: Export, now: int) -> None:
        listed = given.listed
        self.lost = {}
        if self.held:
            whole = self._whole(given)
            renamed = {} if given.minute else self._renamed(listed)
            doubtful = self._doubtful(given)
            for old, name in renamed.items():
                self.held[name] = replace(self.held.pop(old), named_at=now)
            for name in [name for name in self.held if name not in listed]:
                self._judge(name, given, now, whole=whole, doubtful=name in doubtful)
        for name, second in listed.items():
            self.absences.pop(name, None)
            row = self.held.get(name)
            if row is None or (not given.minute and row.since != second):
                self.held[name] = Held(second, now)

    def _whole(self, given: Export) -> bool:
        seconds = sorted(given.listed.values())
        span = Range(seconds[0], seconds[-1]) if seconds else Range(None, None)
        oldest = min(row.since for row in self.held.values())
        older = sum(row.since < seconds[0] for row in self.held.values()) if seconds else 0
        there = any(row.since == oldest and name in given.listed for name, row in self.held.items())
        stored = Stored(len(self.held), older, there)
        listed = Listed(len(seconds), span, None, given.missing)
        return assess(listed, stored, None).kind is Kind.WHOLE

    def _renamed(self, listed: dict[str, int]) -> dict[str, str]:
        """One absent and one unknown name that share a second with nobody else."""
        absent, unknown = defaultdict(list), defaultdict(list)
        for name, row in self.held.items():
            if name not in listed:
                absent[row.since].append(name)
        for name, second in listed.items():
            if name not in self.held:
                unknown[second].append(name)
        return {
            names[0]: unknown[second][0]
            for second, names in absent.items()
            if len(names) == 1 and len(unknown[second]) == 1
        }

    def _doubtful(self, given: Export) -> set[str]:
        """Whose follow second a newcomer shares, or somebody who was named later."""
        minutes: dict[int, list[tuple[str, int, int | None]]] = defaultdict(list)
        for name, row in self.held.items():
            minutes[row.since // 60].append((name, row.since, row.named_at))
        for name, second in given.listed.items():
            if name not in self.held:
                minutes[second // 60].append((name, second, None))
        return {
            name
            for name, row in self.held.items()
            for other, second, named_at in minutes[row.since // 60]
            if other != name
            and (named_at is None or named_at > row.named_at)
            and (given.minute or row.since == second or not row.since % 60 or not second % 60)
        }

    def _judge(self, name: str, given: Export, now: int, *, whole: bool, doubtful: bool) -> None:
        since, slack = self.held[name].since, 60 if given.minute else 0
        proven = any(oldest + slack < since < newest for oldest, newest in given.ranges)
        first, looks = self.absences.get(name, (now, 0))
        waited = whole and looks + 1 >= LOOKS_SLOW and first <= now - WAIT_SLOW
        if not doubtful and (proven or waited):
            self.lost[name] = self.held.pop(name).since
            self.absences.pop(name, None)
        else:
            self.absences[name] = (first, looks + whole)


def false_losses(seed: int, *, people: int, imports: int, size: int) -> tuple[int, list[str]]:
    """Losses reported in so many imports, and those of people who never left."""
    rng = Random(seed)
    world = World(Random(seed + 1), now=1_700_000_000)
    for _ in range(people):
        world.now += rng.choice((0, 1, 30, 4_000))
        world.follow()
    account, lost, wrong = Account(), Counter[str](), []
    for number in range(imports):
        given = export(world, rng, size=size)
        follows = {(one.name, one.followed_at // 60) for one in world.people if not one.hidden}
        account.take(given, world.now)
        lost.update(account.lost)
        wrong += [
            f"{name} in import {number} of seed {seed}"
            for name, since in account.lost.items()
            if (name, since // 60) in follows
        ]
        world.live(rng.choice((DAY // 4, DAY, 20 * DAY)), rng.choice((0.5, 5.0)))
    return lost.total(), wrong
