"""Instagram's exports, one after the other, through the product's own pure rule for archives."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

from followersync.domain.archive_losses import Look, Verdict, recorded
from followersync.domain.archive_people import (
    Decision,
    Export,
    ListedVerdict,
    PriorFacts,
    StoredPerson,
    decide,
)
from tests.simulation.world import DAY, World

Rows = list[tuple[str, int | None]]


@dataclass(frozen=True, slots=True)
class Faults:
    """How often an export is so: of a range of dates; without a part, and its numbers closed up;
    without a few rows, or a hole of them; with other dates; rounded to the minute."""

    ranged: float = 0.1
    part_missing: float = 0.1
    renumbered: float = 0.1
    rows_left_out: float = 0.1
    hole: float = 0.1
    redated: float = 0.1
    minute: float = 0.1


NONE = Faults(0, 0, 0, 0, 0, 0, 0)


def export(world: World, rng: Random, *, size: int, faults: Faults = NONE) -> Export:
    """What a member may hand in: parts of `size` people, newest first, and what is wrong."""
    people = sorted(
        (person for person in world.people if not person.hidden),
        key=lambda person: -person.followed_at,
    )
    minute = rng.random() < faults.minute
    rows: Rows = [(p.name, p.followed_at // 60 * 60 if minute else p.followed_at) for p in people]
    rows = _spoil(rows, rng, faults, world.now)
    parts = [tuple(rows[start : start + size]) for start in range(0, len(rows), size)]
    missing = False
    if len(parts) > 1 and rng.random() < faults.part_missing + faults.renumbered:
        which = rng.randrange(len(parts))
        del parts[which]
        closed = rng.random() < faults.renumbered / (faults.part_missing + faults.renumbered)
        # Without the last number nothing shows that it is missing.
        missing = not closed and which < len(parts)
    return Export(tuple(parts), part_missing=missing, minute=minute)


def _spoil(rows: Rows, rng: Random, faults: Faults, now: int) -> Rows:
    if rows and rng.random() < faults.ranged:
        since = rng.choice(rows)[1] or 0
        rows = [row for row in rows if (row[1] or 0) >= since]
    if rng.random() < faults.rows_left_out:
        rows = [row for row in rows if rng.random() > 0.03]
    if rows and rng.random() < faults.hole:
        start = rng.randrange(len(rows))
        del rows[start : start + rng.randint(5, 50)]
    if rng.random() < faults.redated:
        share = rng.choice((0.02, 0.3, 1.0))
        rows = [(name, now - 50 if rng.random() < share else at) for name, at in rows]
    return rows


@dataclass
class Account:
    """The list that exports alone keep. `lost`: whom the last import reported, by name."""

    held: dict[int, StoredPerson] = field(default_factory=dict)
    past: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    keys: int = 0
    last: tuple[Export, Decision | None] | None = None
    contents: set[Export] = field(default_factory=set)
    made_at: int = 0

    def take(self, given: Export, now: int) -> Look | None:
        """Import an export made just now."""
        self.lost = {}
        if not self.held:
            for name, second in given.people.items():
                self._enter(name, second, None)
            self.last, decision = (given, None), None
        else:
            decision = decide(given, list(self.held.values()), self._before(given, now))
            self._carry_out(given, decision, now)
            self.last = (given, decision)
        self.contents.add(given)
        self.made_at = now
        return decision.look if decision else None

    def _before(self, given: Export, now: int) -> PriorFacts:
        people, parts, reasons = None, None, frozenset[str]()
        if self.last is not None:
            last, decision = self.last
            reasons = frozenset(flaw.value for flaw in decision.look.flaws) if decision else reasons
            people, parts = len(last.people), len(last.ranges)
        return PriorFacts(
            newer=True,
            repeated=given in self.contents,
            earliest=now,
            latest=now,
            until=now,
            looked=self.made_at,
            last_people=people,
            last_parts=parts,
            last_reasons=reasons,
            complete=True,
            past=self.past,
        )

    def _enter(self, name: str, second: int | None, now: int | None) -> None:
        key = self.past.pop(name, None)
        if key is None:
            self.keys += 1
            key = -self.keys
        self.held[key] = StoredPerson(key, name, second, (second or 0) << 12, now)

    def _carry_out(self, given: Export, decision: Decision, now: int) -> None:
        people = given.people
        for key, row in list(self.held.items()):
            act = decision.acts.get(key)
            if act is Verdict.LOST:
                self.lost[row.name] = row.since or 0
                self.past[row.name] = key
                del self.held[key]
            elif act is Verdict.RENAMED:
                name = decision.renamed[key]
                self.held[key] = replace(row, name=name, renamed_at=now, absence=None)
            elif row.name in people:
                self._see(row, people[row.name], act, decision.look, now)
            else:
                absence = recorded(decision.look, row.absence, Verdict(act) if act else None)
                self.held[key] = replace(row, absence=absence)
        for name, entry in decision.entries.items():
            if entry is not ListedVerdict.TAKEN:
                self._enter(name, people[name], now)

    def _see(
        self,
        row: StoredPerson,
        second: int | None,
        act: Verdict | ListedVerdict | None,
        look: Look,
        now: int,
    ) -> None:
        if act is ListedVerdict.CAME_BACK:
            self.lost[row.name] = row.since or 0
            row = replace(row, first_seen_at=now)
        if act in (ListedVerdict.REDATED, ListedVerdict.CAME_BACK):
            row = replace(row, since=second, place=(second or 0) << 12)
        self.held[row.key] = replace(row, absence=None if look.shows else row.absence)


@dataclass
class Outcome:
    """`lost`: people reported; `wrong`: of these, who followed whenever an export was made."""

    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    flaws: Counter[str] = field(default_factory=Counter)
    imports: int = 0


def live(seed: int, *, people: int, imports: int, size: int, faults: Faults) -> Outcome:
    """So many exports of one account, a quarter of a day to twenty days apart."""
    rng = Random(seed)
    world = World(Random(seed + 1), now=1_700_000_000)
    for _ in range(people):
        world.now += rng.choice((0, 1, 30, 4_000))
        world.follow()
    account, outcome = Account(), Outcome()
    follows: list[set[tuple[str, int]]] = []
    for number in range(imports):
        given = export(world, rng, size=size, faults=faults if number else NONE)
        follows.append(
            {(one.name, one.followed_at // 60) for one in world.people if not one.hidden}
        )
        look = account.take(given, world.now)
        if look is not None:
            outcome.flaws.update(flaw.value for flaw in look.flaws)
        outcome.imports += 1
        outcome.lost += len(account.lost)
        outcome.wrong += [
            f"{name} in import {number} of seed {seed}"
            for name, since in account.lost.items()
            if all((name, since // 60) in then for then in follows[-2:])
        ]
        world.live(rng.choice((DAY // 4, DAY, 20 * DAY)), rng.choice((0.5, 5.0)))
    return outcome
