"""One look at an export suffices, for a file written at once neither skips nor shuffles rows."""

from __future__ import annotations

from random import Random

from tests.simulation.exports import Account, export, false_losses
from tests.simulation.world import World


def test_no_export_whole_cut_or_rounded_says_that_somebody_left_who_did_not() -> None:
    reported, wrong = 0, []
    for seed in range(12):
        losses, false = false_losses(seed, people=20 * seed, imports=8, size=20 + seed)
        reported += losses
        wrong += false

    assert wrong == []
    assert reported > 50


def test_who_left_the_middle_of_a_list_is_lost_at_the_first_export_without_them() -> None:
    world = World(Random(1), now=1_700_000_000)
    for _ in range(50):
        world.now += 4_001
        world.follow()
    account = Account()
    account.take(export(world, Random(1), size=100), world.now)
    left = world.people.pop(25)
    account.take(export(world, Random(1), size=100), world.now)

    assert list(account.lost) == [left.name]
