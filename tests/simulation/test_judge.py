"""The judge sees each wrong, and calls nothing impossible to tell apart that is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from tests.simulation.door import Report
from tests.simulation.fault import ALWAYS, AT_ONCE, Fault
from tests.simulation.history import START
from tests.simulation.instagram import Instagram
from tests.simulation.judge import Judge
from tests.simulation.population import DAY, HOUR, Population
from tests.simulation.rows import Scenario

PEOPLE = 20
CEM = 10
"""In mid-list; the oldest is 1."""


@dataclass
class Told:
    """An account that says whatever the test makes it say."""

    now: int = START
    held: dict[int, str] = field(default_factory=dict)
    unconfirmed: dict[int, int] = field(default_factory=dict)
    beyond: set[int] = field(default_factory=set)
    complete: bool = False


class Leaves(Fault):
    """Leaves out some; the count may agree."""

    def __init__(self, ranks: set[int], counted: bool) -> None:
        super().__init__(Random(1), AT_ONCE, ALWAYS, ALWAYS)
        self.withheld, self.counted = ranks, counted

    def count(self, to: Instagram, value: int | None) -> int | None:
        return value if self.counted or value is None else value - len(self.withheld)


class Case:
    """A list of PEOPLE, read once; then one look after another."""

    def __init__(self, honest: bool = True, hidden_at_first: set[int] | None = None) -> None:
        self.world = Population(Random(1), START, PEOPLE, 0.0, 0.0)
        first = [Leaves(hidden_at_first, True)] if hidden_at_first else []
        self.instagram = Instagram(self.world, Random(2), first, moving=False, quirks=False)
        self.instagram.offset = 0
        self.account = Told()
        scenario = Scenario("test", 1, PEOPLE, 50, honest=honest)
        self.judge = Judge(scenario, self.instagram, self.account)  # type: ignore[arg-type]
        self.result = self.judge.result
        self.account.held = {key: f"p{key}" for key in range(1, PEOPLE + 1)}
        self.sync(0, whole=True)

    def sync(self, hours: float, *, whole: bool = True, **told: list[int]) -> None:
        """Read the whole list so many hours after the last look."""
        self.account.now += round(hours * HOUR) + 2
        self.world.live_until(self.account.now)
        self.instagram.count(self.account.now)
        self.instagram.page(self.account.now, None, 50)
        self.judge.after_each(Report(whole=whole, calls=2, **told), self.account.now)
        self.world.live_until(self.account.now + 1)

    def miss(self, *keys: int) -> None:
        """The next sync calls them unconfirmed."""
        self.account.unconfirmed = dict.fromkeys(keys, self.account.now + 2)


def test_who_is_told_as_lost_while_listed_and_counted_is_a_false_loss() -> None:
    case = Case()
    case.instagram.faults.append(Leaves({CEM}, counted=True))
    case.miss(CEM)
    case.sync(0)
    case.sync(100, lost=[CEM])

    assert len(case.result.false) == 1
    assert case.result.same_as_row == []


@pytest.mark.parametrize(("hours", "apart"), [(1, False), (7, True)])
def test_a_row_withheld_alone_with_a_count_that_agrees_is_told_apart_only_within_six_hours(
    hours: int, apart: bool
) -> None:
    case = Case()
    case.instagram.faults.append(Leaves({CEM}, counted=False))
    case.miss(CEM)
    case.sync(0)
    case.sync(hours, lost=[CEM])

    assert len(case.result.same_as_row) == apart
    assert len(case.result.false) == (not apart)


@pytest.mark.parametrize(("days", "apart"), [(2, False), (4, True)])
def test_the_end_withheld_with_a_count_that_agrees_is_told_apart_for_three_days(
    days: int, apart: bool
) -> None:
    case = Case()
    case.instagram.faults.append(Leaves({1, 2, 3}, counted=False))
    case.miss(1, 2, 3)
    case.sync(0)
    case.sync(days * 24, lost=[2])

    assert len(case.result.same_as_end) == apart
    assert len(case.result.false) == (not apart)


def test_a_hole_with_a_count_that_agrees_is_no_row_inside_intact_pages() -> None:
    case = Case()
    case.instagram.faults.append(Leaves({9, 10, 11}, counted=False))
    case.miss(9, 10, 11)
    case.sync(0)
    case.sync(100, lost=[10])

    assert len(case.result.false) == 1


def test_who_was_shown_between_is_a_false_loss_although_the_count_agrees() -> None:
    case = Case()
    fault = Leaves({CEM}, counted=False)
    case.instagram.faults.append(fault)
    case.miss(CEM)
    case.sync(0)
    fault.withheld = set()
    case.sync(10)
    fault.withheld = {CEM}
    case.sync(10, lost=[CEM])

    assert len(case.result.false) == 1


def test_who_left_is_no_false_loss_and_the_delay_is_counted() -> None:
    case = Case()
    case.world.leave(CEM)
    case.miss(CEM)
    case.sync(24)
    case.sync(24, lost=[CEM])

    assert case.result.false == []
    [(syncs, days)] = case.result.short
    assert syncs == 2
    assert days == pytest.approx(2, abs=0.01)
    assert case.result.waits[0] >= DAY


def test_who_left_and_came_back_since_was_not_listed_all_the_time() -> None:
    case = Case()
    case.world.leave(CEM)
    case.miss(CEM)
    case.sync(24)
    case.world.come_back(CEM)
    case.sync(24, lost=[CEM])

    assert case.result.false == []


def test_who_was_there_before_the_first_list_is_no_gain() -> None:
    case = Case(hidden_at_first={CEM})
    case.instagram.faults.clear()
    case.sync(24, gained=[CEM])

    assert len(case.result.false_gains) == 1
    assert case.result.same_as_first == []


def test_the_newest_withheld_from_the_first_list_cannot_be_told_from_newcomers() -> None:
    case = Case(hidden_at_first={PEOPLE})
    case.instagram.faults.clear()
    case.sync(24, gained=[PEOPLE])

    assert case.result.false_gains == []
    assert len(case.result.same_as_first) == 1


def test_a_list_is_not_complete_while_more_than_two_of_twenty_are_not_shown() -> None:
    case = Case()
    case.account.complete = True
    case.instagram.faults.append(Leaves({4, 5, 6}, counted=True))
    case.sync(1)
    case.sync(1)
    assert len(case.result.false_complete) == 1  # the reading before had shown them all

    case.account.complete = False
    case.sync(1)
    assert len(case.result.false_complete) == 1


def test_a_first_look_must_show_who_left_as_unconfirmed() -> None:
    case = Case()
    case.world.leave(CEM)
    case.world.leave(12)
    case.miss(CEM)
    case.sync(6)

    assert (case.result.first_looks, case.result.first_seen) == (2, 1)


def test_whoever_is_missing_or_too_much_at_the_end_is_seen() -> None:
    case = Case()
    case.world.leave(CEM)
    case.sync(24)
    case.judge.faults_end = case.account.now
    del case.account.held[5]
    case.judge.after_clean_days()
    case.judge.at_end()

    assert len(case.result.never) == len(case.result.not_held) == len(case.result.unequal) == 1
