"""A million followers at a hundred a page are 10,000 calls: here a twentieth of that, to scale."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from followersync.domain import schedule
from followersync.domain.values import ListSource, Proof
from tests.simulation.lister import Lister
from tests.simulation.store import Engine, Store
from tests.simulation.world import DAY, World

PEOPLE, LIMIT = 10_000, 20
PAGES = PEOPLE // LIMIT
DAYS = 21
FULL_SIZE_PAGES = 10_000
CALLS_A_DAY = 200 * 24 * PAGES / FULL_SIZE_PAGES
"""The budget of 200 calls an hour, at the scale of this list."""
FIXED_A_DAY = 90
"""Counts, heads, closing reads and second looks: the same however long the list is."""


@dataclass(frozen=True)
class Weeks:
    """Days until each loss with witnesses was told, of which so many were `counted`; who left over
    a week ago and was not told; calls."""

    delays: list[float]
    counted: int
    overdue: list[int]
    calls_a_day: float


@pytest.fixture(scope="module")
def weeks() -> Weeks:
    rng = Random(5)
    world = World(rng, now=1_700_000_000)
    world.populate(PEOPLE)
    lister = Lister(world)
    store = Store()
    engine = Engine(store, lister, Random(7), ListSource(LIMIT))
    end, settled, calls = world.now + DAYS * DAY, world.now + 2 * DAY, 0
    delays: list[float] = []
    counted = 0
    while world.now < end:
        before = lister.calls
        done = engine.sync(resume=False)
        calls += lister.calls - before if world.now > settled else 0
        for what, key, lost in store.events:
            if what == "lost" and lost is not None and lost.proof in (Proof.COUNTED, Proof.WAITED):
                counted += lost.proof is Proof.COUNTED
                delays.append((world.now - world.left_at[key]) / DAY)
        store.events.clear()
        world.now = schedule.next_due(
            now=world.now,
            interval_minutes=360,
            changes_per_day=0.0,
            failures=0,
            not_before=None,
            second_look_in=done.second_look_in,
            full_scan_open=done.full_scan_open and not done.paced,
            jitter=rng.random(),
        )
        for _ in range(3):
            world.follow()
        for _ in range(rng.randrange(3)):
            world.leave()
    overdue = [
        key
        for key, left in world.left_at.items()
        if key in store.followers and left < world.now - 8 * DAY
    ]
    return Weeks(delays, counted, overdue, calls / (DAYS - 2))


@pytest.mark.slow
def test_a_long_list_tells_every_loss_within_a_fortnight_for_less_than_half_of_the_budget(
    weeks: Weeks,
) -> None:
    assert len(weeks.delays) > 30
    assert max(weeks.delays) <= 14
    assert len(weeks.overdue) <= 2, "the oldest, and whoever stood at the end of two pages"
    assert weeks.calls_a_day <= 0.42 * CALLS_A_DAY + FIXED_A_DAY


@pytest.mark.slow
def test_a_slice_of_a_long_list_proves_losses_at_the_second_look(weeks: Weeks) -> None:
    assert weeks.counted > 0
