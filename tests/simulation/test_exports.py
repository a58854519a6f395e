"""Lists kept by exports alone: nobody is lost who follows, and who left is told by the second."""

from __future__ import annotations

from random import Random

import pytest

from tests.simulation.exports import NONE, Account, Faults, Outcome, export, live
from tests.simulation.world import World
from tests.support import lanes

WAYS = {
    "nothing wrong": NONE,
    "a range of dates": Faults(0.5, 0, 0, 0, 0, 0, 0),
    "a part missing": Faults(0, 0.5, 0, 0, 0, 0, 0),
    "parts renumbered": Faults(0, 0, 0.5, 0, 0, 0, 0),
    "a hole": Faults(0, 0, 0, 0, 0.5, 0, 0),
    "other dates": Faults(0, 0, 0, 0, 0, 0.5, 0),
    "rounded": Faults(0, 0, 0, 0, 0, 0, 0.5),
    "all of it": Faults(0.1, 0.1, 0.1, 0, 0.1, 0.1, 0.1),
}


def lives(faults: Faults, *, seeds: range = range(24), imports: int = 10) -> Outcome:
    total = Outcome()
    for seed in seeds:
        one = live(seed, people=12 * seed, imports=imports, size=20 + seed, faults=faults)
        total.lost += one.lost
        total.wrong += one.wrong
        total.flaws += one.flaws
        total.imports += one.imports
    return total


@pytest.mark.parametrize("way", lanes.first(WAYS))
def test_no_export_however_it_falls_short_says_that_somebody_left_who_did_not(way: str) -> None:
    total = lives(WAYS[way])

    assert total.wrong == []
    assert total.lost > 20


def test_a_few_rows_left_out_now_and_then_lose_hardly_anybody() -> None:
    """Two exports in a row that leave out the same row look like a loss to anybody."""
    total = lives(Faults(0, 0, 0, 0.3, 0, 0, 0))

    assert len(total.wrong) <= 3
    assert total.lost > 20


def test_who_left_is_unconfirmed_at_the_first_export_and_lost_at_the_second() -> None:
    world = World(Random(1), now=1_700_000_000)
    for _ in range(50):
        world.now += 4_001
        world.follow()
    account = Account()
    account.take(export(world, Random(1), size=100), world.now)
    left = world.people.pop(25)
    told = []
    for _ in range(2):
        world.now += 86_400
        world.follow()
        account.take(export(world, Random(1), size=100), world.now)
        told.append(list(account.lost))

    assert told == [[], [left.name]]
