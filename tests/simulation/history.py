"""One account's history: faulty syncs, two clean weeks, a calm one; and the judge beside it."""

from __future__ import annotations

from random import Random

from tests.simulation.account import Account
from tests.simulation.instagram import Instagram
from tests.simulation.judge import Judge, Result
from tests.simulation.population import DAY, HOUR, Population
from tests.simulation.rows import KINDS, Scenario

START = 1_700_000_000
CLEAN_DAYS = 14
CALM_DAYS = 8
"""Then nobody comes or goes: a full scan falls due, and shows who reappeared in mid-list."""
EVENT_DAYS = 40


class History:
    """Runs a scenario; everything in it follows from the scenario's seed."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        rng = Random(scenario.seed)
        per_day = rng.choice((0.5, 2.0, max(2.0, scenario.size / 50)))
        rush = rng.choice((0.0, 0.0, 2_000.0))
        if scenario.size <= 5 or scenario.seconds_a_call > 1:
            rush = 0.0
        self.world = Population(Random(scenario.seed + 1), START, scenario.size, per_day, rush)
        faults = [
            KINDS[kind].fault(Random(scenario.seed + 10 + number), rare=scenario.rare)
            for number, kind in enumerate(scenario.kinds)
        ]
        self.instagram = Instagram(
            self.world,
            Random(scenario.seed + 2),
            faults,
            moving=rng.random() < 0.5,
            quirks=not scenario.honest,
        )
        for event in scenario.events:
            PLANS[event](self.world, Random(scenario.seed + 3))
        self.account = Account(
            self.instagram,
            scenario.page_limit,
            kill=scenario.kill,
            budget=scenario.budget,
            seconds_a_call=scenario.seconds_a_call,
            seed=scenario.seed + 4,
        )
        self.judge = Judge(scenario, self.instagram, self.account)
        self.now = START

    def run(self) -> Result:
        result = self.judge.result
        for _ in range(self.scenario.syncs):
            self.sync()
            result.faulty += 1
        self.instagram.heal()
        self.account.steady()
        self.judge.faults_end = end = self.now
        self._until(end + CLEAN_DAYS * DAY)
        self.judge.after_clean_days()
        self.world.calm()
        self._until(self.now + CALM_DAYS * DAY)
        self.judge.at_end()
        return result

    def sync(self) -> None:
        """One sync, when it falls due."""
        began = self.now
        self.instagram.begin_sync(began)
        report = self.account.sync(began)
        self.world.live_until(self.account.now)
        self.judge.after_each(report, began)
        self.now = max(self.account.now + 1, self.account.next_due)

    def _until(self, end: int) -> None:
        while self.now < end:
            self.sync()


# -- true events -----------------------------------------------------------------------------------


def _purge(world: Population, rng: Random) -> None:
    """Instagram removes 10 to 30 % at once."""

    def happen() -> None:
        share = rng.uniform(0.1, 0.3)
        for rank in rng.sample(world.ranks, int(len(world.ranks) * share)):
            world.leave(world.by_rank[rank].key)

    world.plan(_some_day(world, rng), happen)


def _crowd(world: Population, rng: Random, share: float) -> None:
    """A crowd follows within hours; many of them leave again days later."""
    start, crowd = _some_day(world, rng), max(3, int(len(world.ranks) * share))
    stay_days, leave = rng.uniform(0.5, 6), rng.uniform(0.4, 0.9)

    def one() -> None:
        key = world.follow()
        if rng.random() < leave:
            at = world.now + round(stay_days * DAY + rng.random() * DAY)
            world.plan(at, lambda: world.leave(key))

    for _ in range(crowd):
        world.plan(start + rng.randrange(12 * HOUR), one)


def _giveaway(world: Population, rng: Random) -> None:
    _crowd(world, rng, rng.uniform(0.2, 0.6))


def _crowds(world: Population, rng: Random) -> None:
    for _ in range(5):
        _crowd(world, rng, rng.uniform(0.03, 0.15))


def _to_and_fro(world: Population, rng: Random) -> None:
    """Some people leave and come back, over and over, within hours or days."""
    for rank in rng.sample(world.ranks, min(len(world.ranks), rng.randint(1, 5))):
        key, at = world.by_rank[rank].key, START + rng.randrange(5 * DAY)
        for _ in range(rng.randint(4, 20)):
            world.plan(at, lambda key=key: world.leave(key))  # type: ignore[misc]
            at += round(HOUR * 72 ** rng.random())
            world.plan(at, lambda key=key: world.come_back(key))  # type: ignore[misc]
            at += round(HOUR * 72 ** rng.random())


def _again_at_once(world: Population, rng: Random) -> None:
    """Some people leave and follow again at once, over and over, to be seen on top of the list."""
    for rank in rng.sample(world.ranks, min(len(world.ranks), rng.randint(1, 8))):
        key, at = world.by_rank[rank].key, START + rng.randrange(5 * DAY)
        for _ in range(rng.randint(20, 100)):
            world.plan(at, lambda key=key: world.leave_and_return(key))  # type: ignore[misc]
            at += round(HOUR * 0.2 * 40 ** rng.random())


def _some_day(world: Population, rng: Random) -> int:
    return world.now + rng.randrange(2 * DAY, EVENT_DAYS // 2 * DAY)


PLANS = {
    "purge": _purge,
    "giveaway": _giveaway,
    "crowds": _crowds,
    "to and fro": _to_and_fro,
    "again at once": _again_at_once,
}
