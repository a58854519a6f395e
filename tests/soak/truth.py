"""What really happened: who was gone when, as the soak itself made it happen."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts import clock
from tests.support.sandbox import Sandbox

#: Of so many changes one is a purge by Instagram, and one a giveaway.
RARE = 40


@dataclass
class Person:
    """The stretches in which somebody was not in the list; the last may be open."""

    gone: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    def was_gone_within(self, since: datetime, until: datetime) -> bool:
        return any(start <= until and (end is None or end >= since) for start, end in self.gone)


class Truth:
    """Makes changes at the sandbox and remembers when each began and was over."""

    def __init__(self, sandbox: Sandbox, rng: random.Random) -> None:
        self.sandbox = sandbox
        self.rng = rng
        self.people: dict[str, dict[str, Person]] = defaultdict(lambda: defaultdict(Person))
        self.came: dict[str, dict[str, datetime]] = defaultdict(dict)
        self.changes = 0

    def change(self, account: str, size: int) -> None:
        """A few people of one account do something, all at once; now and then very many."""
        wanted = {
            "follow": self.rng.randint(0, 2),
            "leave": self.rng.randint(0, 2),
            "return": self.rng.randint(0, 1),
            "rename": self.rng.randint(0, 1),
            "deactivate": int(self.rng.random() < 0.1),
            "reactivate": int(self.rng.random() < 0.1),
        }
        rare = self.rng.randrange(RARE)
        if rare == 0:
            wanted["leave"] = round(size * self.rng.uniform(0.1, 0.3))
        elif rare == 1:
            wanted["follow"] = round(size * self.rng.uniform(0.2, 1))
        before = clock.now()
        done = self.sandbox.call("POST", f"accounts/{account}/change/", wanted)
        self._note(account, done, before, clock.now())

    def _note(self, account: str, done: dict[str, Any], before: datetime, after: datetime) -> None:
        people = self.people[account]
        for person in [*done["left"], *done["deactivated"]]:
            people[person].gone.append((before, None))
        for person in [*done["returned"], *done.get("reactivated", [])]:
            if people[person].gone:
                start, _ = people[person].gone[-1]
                people[person].gone[-1] = (start, after)
        for person in done["followed"]:
            self.came[account][person] = after
        self.changes += sum(len(ids) for ids in done.values())
