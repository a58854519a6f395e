"""A small account's real followers, for exports and for tests of the domain's steps; the larger
world of the simulation is `population.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

DAY = 86_400


@dataclass(slots=True)
class Person:
    """`since`: when the present stretch of being listed began; `rank` orders the list."""

    key: int
    name: str
    rank: int
    followed_at: int
    since: int
    hidden: bool = False


@dataclass
class World:
    """`people`: whoever follows, newest last; the hidden (deactivated) are not listed."""

    rng: Random
    now: int
    people: list[Person] = field(default_factory=list)
    gone: dict[int, Person] = field(default_factory=dict)
    left_at: dict[int, int] = field(default_factory=dict)
    ranks: int = 0
    keys: int = 0
    renames: int = 0
    history: list[tuple[int, int]] = field(default_factory=list)
    _listed: list[tuple[int, int, str]] | None = None

    def populate(self, count: int) -> None:
        for _ in range(count):
            self.follow()
        self.history = [(self.now, len(self.people))]

    def listed(self) -> list[tuple[int, int, str]]:
        """What a perfect lister would show, newest first: (rank, key, name)."""
        if self._listed is None:
            self._listed = [(p.rank, p.key, p.name) for p in reversed(self.people) if not p.hidden]
        return self._listed

    def visible(self) -> dict[int, Person]:
        return {person.key: person for person in self.people if not person.hidden}

    def _changed(self) -> None:
        self._listed = None
        self.history.append((self.now, len(self.people)))

    def count_at(self, when: int) -> int:
        """How many followed at a time (the deactivated are counted, as Instagram does)."""
        for at, count in reversed(self.history):
            if at <= when:
                return count
        return self.history[0][1]

    def follow(self) -> None:
        self.keys += 1
        self._enter(Person(self.keys, f"p{self.keys}", 0, self.now, self.now))

    def _enter(self, person: Person) -> None:
        self.ranks += 1
        person.rank, person.followed_at, person.since = self.ranks, self.now, self.now
        person.hidden = False
        self.people.append(person)
        self.left_at.pop(person.key, None)
        self._changed()

    def leave(self) -> None:
        if self.people:
            person = self.people.pop(self.rng.randrange(len(self.people)))
            self.gone[person.key] = person
            self.left_at.setdefault(person.key, self.now)
            self._changed()

    def leave_and_return(self) -> None:
        """Somebody unfollows and follows again at once: from the middle to the top."""
        if self.people:
            person = self.people.pop(self.rng.randrange(len(self.people)))
            since = person.since
            hidden = person.hidden
            self._enter(person)
            if not hidden:
                person.since = since

    def come_back(self) -> None:
        if self.gone:
            key = self.rng.choice(list(self.gone))
            self._enter(self.gone.pop(key))

    def rename(self) -> None:
        if self.people:
            self.renames += 1
            person = self.rng.choice(self.people)
            person.name = f"p{person.key}_{self.renames}"
            self._listed = None

    def deactivate(self) -> None:
        shown = [person for person in self.people if not person.hidden]
        if shown:
            person = self.rng.choice(shown)
            person.hidden = True
            self.left_at[person.key] = self.now
            self._changed()

    def reappear(self) -> None:
        hidden = [person for person in self.people if person.hidden]
        if hidden:
            person = self.rng.choice(hidden)
            person.hidden = False
            person.since = self.now
            self.left_at.pop(person.key, None)
            self._changed()

    def live(self, seconds: int, per_day: float) -> None:
        """Let time pass; `per_day`: things that happen in a day."""
        events = per_day * seconds / DAY
        happening = int(events) + (self.rng.random() < events % 1)
        start = self.now
        for at in sorted(self.rng.randrange(max(1, seconds)) for _ in range(happening)):
            self.now = start + at
            self.happen()
        self.now = start + seconds
        del self.history[:-200]

    def happen(self) -> None:
        kinds = (
            (self.follow, 40),
            (self.leave, 30),
            (self.come_back, 8),
            (self.rename, 8),
            (self.deactivate, 6),
            (self.reappear, 5),
            (self.leave_and_return, 3),
        )
        self.rng.choices([do for do, _ in kinds], [weight for _, weight in kinds])[0]()
