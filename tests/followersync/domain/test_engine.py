"""A sync step by step: what is asked of Instagram, in which order, and what survives a kill."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest

from followersync.domain import engine
from followersync.domain.state import TOP, AccountState, Phase
from followersync.domain.values import (
    LOOKS_APART,
    AddedKind,
    Finish,
    ListSource,
    PageLook,
    PageRole,
    ReadCount,
    ReadPage,
    ScanMode,
)
from tests.simulation.lister import Lister
from tests.simulation.store import Engine, Store
from tests.simulation.world import World

HOUR = 3_600


class Account:
    """A follower list of `size` people, `limit` to a page, with nothing wrong."""

    def __init__(self, size: int, limit: int) -> None:
        self.world = World(Random(1), now=1_700_000_000)
        self.world.populate(size)
        self.lister = Lister(self.world)
        self.store = Store()
        self.engine = Engine(self.store, self.lister, Random(3), ListSource(limit))

    def sync(self, hours: int = 1) -> int:
        """Sync once after so many hours; answers the calls it took."""
        before = self.lister.calls
        self.world.now += hours * HOUR
        self.done = self.engine.sync(resume=False)
        return self.lister.calls - before

    def settled(self) -> Account:
        for _ in range(3):
            self.sync()
        self.store.events.clear()
        return self

    def events(self) -> list[tuple[str, int]]:
        events = [(what, key) for what, key, _ in self.store.events]
        self.store.events.clear()
        return events


def test_the_first_list_is_a_baseline_and_enters_no_feed() -> None:
    account = Account(120, 50)
    account.sync()

    assert len(account.store.followers) == 120
    assert account.events() == []
    assert account.done.complete


@pytest.mark.parametrize("size", [30, 5_000])
def test_a_sync_without_changes_costs_two_calls(size: int) -> None:
    assert Account(size, 100).settled().sync() == 2


def test_a_newcomer_is_gained_at_the_next_sync() -> None:
    account = Account(500, 100).settled()
    account.world.follow()
    account.sync()

    assert account.events() == [("gained", 501)]


def test_who_left_is_unconfirmed_at_once_and_lost_at_the_second_look() -> None:
    account = Account(60, 100).settled()
    left = account.world.people.pop(30).key
    account.world._changed()
    account.sync()

    assert list(account.store.absences) == [left]
    assert account.events() == []
    assert account.done.second_look_in == LOOKS_APART
    account.sync()
    assert account.events() == [], "two looks within an hour are one look"

    account.sync(hours=6)

    assert account.events() == [("lost", left)]
    assert account.store.absences == {}


def test_in_a_long_list_the_second_look_reads_only_the_page_in_question() -> None:
    account = Account(5_000, 100).settled()
    left = account.world.people.pop(2_550).key
    account.world._changed()
    account.sync()
    account.sync()
    assert list(account.store.absences) == [left]

    assert account.sync(hours=6) <= 4
    assert account.events() == [("lost", left)]


def test_who_stood_where_two_pages_meet_is_looked_for_at_once_and_lost_at_the_second_look() -> None:
    account = Account(300, 50).settled()
    account.world.now += 8 * 24 * HOUR
    page = [key for _, key, _ in account.world.listed()][50:100]
    account.world.people = [one for one in account.world.people if one.key != page[-1]]
    account.world._changed()
    account.sync()

    assert account.store.absences[page[-1]].witnessed == 1
    assert account.done.second_look_in == LOOKS_APART

    account.sync(hours=7)

    assert account.events() == [("lost", page[-1])]


def test_one_run_never_gives_somebody_two_witnessed_looks() -> None:
    account = Account(300, 50).settled()
    account.world.now += 8 * 24 * HOUR
    listed = [key for _, key, _ in account.world.listed()]
    left = {listed[99], listed[90], listed[110]}
    account.world.people = [one for one in account.world.people if one.key not in left]
    account.world._changed()
    account.sync()

    assert {key: absence.witnessed for key, absence in account.store.absences.items()} == (
        dict.fromkeys(left, 1)
    )
    assert account.events() == []


def test_who_is_missed_on_the_first_page_of_several_is_soon_looked_for_in_the_whole_list() -> None:
    account = Account(700, 100).settled()
    account.world.now += 8 * 24 * HOUR
    account.world.people.pop(0)
    account.world._changed()
    account.sync()
    assert list(account.store.absences) == [1]
    account.world.people.pop(-20)
    account.world._changed()
    account.sync()

    assert account.done.mode is ScanMode.HEAD
    assert 681 in account.store.absences

    account.sync(hours=7)
    assert account.done.mode is ScanMode.FULL
    account.sync(hours=7)
    account.sync(hours=7)

    assert ("lost", 681) in account.events()


def test_a_count_that_is_unknown_loses_nobody_sooner_and_claims_nothing() -> None:
    account = Account(60, 100).settled()
    left = account.world.people.pop(30).key
    account.world._changed()
    account.lister.count = lambda: None  # type: ignore[method-assign, assignment, return-value]
    for _ in range(15):
        account.sync(hours=6)

    assert not account.done.complete
    assert account.events() == []
    assert list(account.store.absences) == [left]
    for _ in range(3):
        account.sync(hours=6)
    assert account.events() == [("lost", left)]


def test_a_list_is_not_called_complete_while_many_who_are_counted_are_not_shown() -> None:
    account = Account(60, 100).settled()
    honest = account.lister.count
    assert account.done.complete
    for more, complete in ((4, False), (0, True), (3, True), (4, False)):
        account.lister.count = lambda more=more: honest() + more  # type: ignore[method-assign, misc]
        account.sync(hours=24)

        assert account.done.complete is complete, more


def test_the_first_scan_that_ended_is_the_baseline_even_if_the_list_is_not_complete() -> None:
    account = Account(60, 100)
    honest = account.lister.count
    account.lister.count = lambda: honest() + 30  # type: ignore[method-assign]

    account.sync()

    assert account.store.state.memory.baselined_at is not None
    assert not account.done.complete
    assert account.events() == []


def test_a_newcomer_met_by_a_look_at_the_first_page_stands_on_top_and_is_gained() -> None:
    account = Account(300, 50).settled()
    state = engine.begin_run(
        account.store.state, now=9, source=ListSource(50), followers=300, unconfirmed=1
    )
    assert state.run is not None
    looks = (PageLook(None, (50,), TOP),)
    state = replace(
        state,
        memory=replace(state.memory, looks=looks),
        run=replace(state.run, phase=Phase.LOOK, reported=300),
    )
    rows = [(key, name) for _, key, name in account.world.listed()][:49]
    known = {key: account.store.followers[key] for key, _ in rows}
    out = engine.page_read(
        state, rows=[(999, "new"), *rows], after="x", known=known, lost_before=set(), now=9
    )

    assert [
        (one.kind, max(known.values(), key=lambda row: row.place).place < one.place < TOP)
        for one in out.added
    ] == [(AddedKind.GAINED, True)]


def test_a_state_survives_being_stored_as_json() -> None:
    account = Account(500, 100).settled()
    state = engine.begin_run(
        account.store.state, now=1, source=ListSource(100), followers=500, unconfirmed=0
    )

    assert engine.load(json.loads(json.dumps(engine.dump(state)))) == state
    assert engine.load(None) == AccountState()


def test_the_same_state_always_asks_for_the_same_step() -> None:
    state = engine.begin_run(
        AccountState(), now=1, source=ListSource(100), followers=0, unconfirmed=0
    )

    assert engine.next_step(state) == engine.next_step(state) == ReadCount()
    state = engine.count_read(state, reported=3, now=1)
    assert engine.next_step(state) == ReadPage(PageRole.FULL, None, 100)


def test_an_answer_nobody_asked_for_is_a_bug_and_changes_nothing() -> None:
    state = engine.begin_run(
        AccountState(), now=1, source=ListSource(100), followers=0, unconfirmed=0
    )

    with pytest.raises(engine.UnexpectedStep):
        engine.page_read(state, rows=[], after=None, known={}, lost_before=set(), now=1)


def test_a_budget_ends_a_run_but_not_the_scan_which_the_next_run_goes_on_with() -> None:
    account = Account(1_000, 100)
    account.engine.budget = 8
    account.sync()
    assert account.done.full_scan_open
    assert 0 < len(account.store.followers) < 1_000

    account.sync()
    account.sync()

    assert len(account.store.followers) == 1_000


def test_a_refused_cursor_drops_the_scan_and_loses_nobody() -> None:
    account = Account(1_000, 100)
    account.engine.budget = 8
    account.sync()
    state = engine.begin_run(
        account.store.state, now=9, source=ListSource(100), followers=600, unconfirmed=0
    )
    state = engine.cursor_lost(engine.count_read(state, reported=1_000, now=9))

    assert state.full_scan is None
    assert engine.next_step(state) == Finish()


def test_a_run_that_must_stop_asks_for_nothing_more() -> None:
    state = engine.begin_run(
        AccountState(), now=1, source=ListSource(100), followers=0, unconfirmed=0
    )

    assert engine.next_step(engine.stop_run(state, now=1)) == Finish()


def test_a_member_sees_how_far_a_scan_is() -> None:
    account = Account(1_000, 100)
    account.engine.budget = 8
    account.sync()
    seen = engine.progress(account.store.state)

    assert (seen.expected, seen.seen > 0, seen.pages > 0) == (1_000, True, True)
