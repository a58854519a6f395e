"""Seeded worlds whose exports come whole, ranged, in parts, late and in every dialect.

Whatever comes, nobody may be called lost who still followed when the export was made; and what
whole exports show must be what is held in the end.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from followersync import store
from followersync.models import Absence, ArchiveImport, Follower, FollowerChange, SyncSettings
from tests.support.exports import Export, population

pytestmark = pytest.mark.django_db

FIRST = date(2026, 3, 1)
DIALECTS = ("array", "relationships", "title", "label_values", "html", "connections")


@dataclass
class Person:
    number: int
    name: str
    since: int


class World:
    """Who follows, day by day. `holders`: who bore a name on which day."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        people = population(120, seed=seed, newest=_second(FIRST, 1))
        self.people = [Person(n, name, s) for n, (name, s) in enumerate(people.items())]
        self.people[7].since = self.people[8].since
        self.gone: list[Person] = []
        self.made = len(self.people)
        self.days: list[dict[str, Person]] = [self.picture()]

    def picture(self) -> dict[str, Person]:
        return {p.name: Person(p.number, p.name, p.since) for p in self.people}

    def pass_day(self, number: int) -> None:
        day = FIRST + timedelta(days=number)
        for _ in range(self.random.randint(0, 3)):
            self.gone.append(self.people.pop(self.random.randrange(len(self.people))))
        for hour in range(self.random.randint(0, 3)):
            self.made += 1
            self.people.append(Person(self.made, f"new.{self.made}", _second(day, 2 + hour)))
        if self.gone and self.random.random() < 0.4:
            back = self.gone.pop(self.random.randrange(len(self.gone)))
            back.since = _second(day, 9)
            self.people.append(back)
        for person in self.random.sample(self.people, self.random.randint(0, 2)):
            self.made += 1
            person.name = f"renamed.{self.made}"
        self.days.append(self.picture())

    def export(self, number: int) -> Export:
        """Today's export, in one of the ways in which exports fall short."""
        listed = {p.name: p.since for p in self.days[number].values()}
        ordered = sorted(listed.values())
        way = self.random.random()
        low, high = ordered[0], ordered[-1]
        if way < 0.2:
            low = self.random.choice(ordered)
        if 0.1 < way < 0.15:
            high = max(low, self.random.choice(ordered))
        parts = frozenset({self.random.randint(1, 4)}) if 0.2 < way < 0.3 else frozenset[int]()
        return Export(
            {name: since for name, since in listed.items() if low <= since <= high},
            following={f"friend{n}": ordered[0] - n * 86_400 for n in range(12)},
            dialect="array" if parts else self.random.choice(DIALECTS),
            day=FIRST + timedelta(days=number),
            per_part=25 if parts else 1_000_000,
            leave_out_parts=parts,
        )


class Watch:
    """Knows which person each key stands for, and calls a loss false."""

    def __init__(self, account) -> None:
        self.account = account
        self.people: dict[int, Person] = {}
        self.since: dict[int, int] = {}
        self.position = 0

    def after(self, then: dict[str, Person]) -> list[str]:
        """Losses of people who had not left when the export was made."""
        following = {person.number: person for person in then.values()}
        false = []
        changes = FollowerChange.objects.filter(
            account_id=self.account.pk, position__gt=self.position
        ).order_by("position")
        for change in changes:
            self.position = change.position
            person = self.people.get(change.key)
            still = following.get(person.number) if person else None
            # Who follows since later than we knew has left in between, whatever we saw of it.
            if change.kind == "lost" and still and still.since <= self.since[change.key] + 60:
                false.append(change.username)
            if (
                change.kind == "renamed"
                and person
                and then[change.username].number != person.number
            ):
                false.append(f"{change.previous_username} is not {change.username}")
        rows = Follower.objects.filter(account_id=self.account.pk)
        for key, name, since in rows.values_list("key", "username", "since"):
            self.since[key] = int(since.timestamp())
            if name in then:
                self.people[key] = then[name]
        return false


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_no_export_however_it_falls_short_makes_a_false_loss(kept, bring, seed):
    world, watch = World(seed), Watch(kept)
    late: list[int] = []
    false: list[str] = []
    for number in range(1, 26):
        world.pass_day(number)
        if world.random.random() < 0.15:
            late.append(number)
            continue
        for which in _order(world, late, number):
            run = bring(kept, world.export(which), at=_noon(number))
            assert run.state == "succeeded", run.error_code
            false += watch.after(world.days[which])

    assert false == []
    settings = SyncSettings.objects.get(pk=kept.pk)
    held = store.recount(kept.pk, bytes(settings.digest_key))
    assert held == (settings.followers_count, settings.digest)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_after_whole_exports_again_the_list_is_true_but_for_whom_the_last_alone_missed(
    kept, bring, seed
):
    world = World(seed)
    for number in range(1, 11):
        world.pass_day(number)
        bring(kept, world.export(number))
    for number in range(11, 14):
        world.pass_day(number)
        listed = {p.name: p.since for p in world.days[number].values()}
        bring(kept, Export(listed, day=FIRST + timedelta(days=number)))

    truth = {p.name for p in world.days[-1].values()}
    held = set(Follower.objects.filter(account_id=kept.pk).values_list("username", flat=True))
    waiting = Absence.objects.filter(account_id=kept.pk).values_list("key", flat=True)
    extra = Follower.objects.filter(account_id=kept.pk, username__in=held - truth).exclude(
        key__in=[*waiting]
    )
    before = {p.name for p in world.days[-2].values()}
    names = set(Follower.objects.filter(key__in=[*waiting]).values_list("username", flat=True))
    unsettled = [row.username for row in extra if not _shared(kept, row)]
    assert truth <= held
    assert unsettled == []
    assert len(names - before) <= 2
    assert ArchiveImport.objects.exclude(kind="").count() == 13


def _order(world: World, late: list[int], number: int) -> Iterable[int]:
    """Today's export, and now and then one that was forgotten on an earlier day."""
    if late and world.random.random() < 0.4:
        return (late.pop(), number) if world.random.random() < 0.5 else (number, late.pop())
    return (number,)


def _shared(account, row: Follower) -> bool:
    """Somebody else follows since the same minute: an archive alone cannot always decide."""
    assert row.since is not None
    near = (row.since - timedelta(seconds=60), row.since + timedelta(seconds=60))
    return Follower.objects.filter(account_id=account.pk, since__range=near).count() > 1


def _second(day: date, hour: int) -> int:
    moment = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hour, seconds=11)
    return int(moment.timestamp())


def _noon(number: int) -> datetime:
    day = datetime.combine(FIRST, datetime.min.time(), UTC)
    return day + timedelta(days=number, hours=12)
