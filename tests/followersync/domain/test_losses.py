"""Who is proven absent; a mistake here says that somebody left who did not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.domain.count import Ledger
from followersync.domain.losses import (
    DAY,
    LOOKS_AT_END,
    WAIT_AT_END,
    JudgeContext,
    implausible,
    judge,
    proven,
)
from followersync.domain.losses import Testimony as Pages
from followersync.domain.patience import Patience
from followersync.domain.values import LOOKS_APART, Absence, Absent, Proof, Span

NOW = 1_000 * DAY
PAGE = Span(number=7, top=200, bottom=100, at=NOW - 5, after="c", limit=50)
USUAL = JudgeContext(
    testimony=Pages([PAGE]),
    at=NOW,
    began=NOW - 30,
    whole=True,
    wide=True,
    ordered=True,
    doubtful=False,
    mixed=False,
    zone=0,
    end=100,
    odd=False,
    count=Ledger(reported=99, excess=0, fresh_explained=True, moved_at=NOW),
    explained=True,
    sparse=False,
    shown=99,
    newcomers=0,
    midst=1,
    most=100,
    suspect=False,
    settled_end=True,
    shows_all=False,
    patience=Patience(),
)
ONCE = Absence(
    since=NOW - LOOKS_APART,
    looks=1,
    witnessed=1,
    agreed=1,
    whole=1,
    last_at=NOW - LOOKS_APART,
    settled=True,
    counted=True,
)


def cem(place: int = 150, *, sure: bool = True, absence: Absence | None = None) -> Absent:
    return Absent(1, place, sure, absence)


def proofs(context: JudgeContext, person: Absent) -> list[Proof]:
    return [lost.proof for lost in judge(context, [person]).lost]


def test_one_look_makes_somebody_unconfirmed_and_asks_for_that_page_again() -> None:
    verdicts = judge(USUAL, [cem()])

    assert verdicts.lost == []
    ((key, record),) = verdicts.absences
    assert (key, record.since, record.looks, record.witnessed, record.agreed) == (1, NOW, 1, 1, 1)
    assert [(look.after, look.limits) for look in verdicts.looks] == [("c", (50,))]


def test_a_second_witnessed_look_that_the_count_agrees_with_proves_the_loss() -> None:
    assert proofs(USUAL, cem(absence=ONCE)) == [Proof.COUNTED]


@pytest.mark.parametrize("seconds", [60, 3_600, LOOKS_APART - 1])
def test_what_withholds_a_row_now_withholds_it_minutes_later(seconds: int) -> None:
    just = replace(ONCE, since=NOW - seconds, last_at=NOW - seconds)

    verdicts = judge(USUAL, [cem(absence=just)])

    assert (verdicts.lost, verdicts.absences) == ([], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"explained": False},
        {"count": replace(USUAL.count, moved_at=ONCE.since - 1)},
        {"mixed": True},
        {"testimony": Pages([])},
        {"ordered": False},
        {"zone": 150},
        {"odd": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_two_looks_are_not_enough_where_something_does_not_agree(changes: dict) -> None:
    assert proofs(replace(USUAL, **changes), cem(absence=ONCE)) == []


def test_nor_where_the_count_had_not_come_down_when_they_were_first_missed() -> None:
    assert proofs(USUAL, cem(absence=replace(ONCE, counted=False))) == []


def test_somebody_else_s_page_says_nothing() -> None:
    assert proofs(USUAL, cem(place=300, absence=ONCE)) == []


SILENT = replace(USUAL, explained=False)


def waited(days: float, looks: int, **changes: int) -> Absence:
    record = Absence(
        since=NOW - int(days * DAY),
        looks=looks - 1,
        witnessed=looks - 1,
        whole=looks - 1,
        last_at=NOW - LOOKS_APART,
        settled=True,
    )
    return replace(record, **changes)


@pytest.mark.parametrize(
    ("days", "looks", "expected"), [(3.9, 20, []), (4, 7, []), (4, 8, [Proof.WAITED])]
)
def test_without_the_count_it_takes_days_and_looks(days, looks, expected) -> None:
    assert proofs(SILENT, cem(absence=waited(days, looks))) == expected


def test_where_people_were_missed_for_long_and_came_back_it_takes_longer() -> None:
    longer = replace(SILENT, patience=Patience(looks=16, seconds=6 * DAY))

    assert proofs(longer, cem(absence=waited(5.9, 20))) == []
    assert proofs(longer, cem(absence=waited(6, 15))) == []
    assert proofs(longer, cem(absence=waited(6, 16))) == [Proof.WAITED]


def test_at_an_end_the_count_and_time_decide() -> None:
    record = waited(4, LOOKS_AT_END, witnessed=0, agreed=LOOKS_AT_END - 1, counted=True)
    at_end = cem(place=50, absence=record)

    assert proofs(USUAL, at_end) == [Proof.COUNTED_AT_END]
    early = replace(record, since=NOW - WAIT_AT_END + 1)
    assert proofs(USUAL, cem(place=50, absence=early)) == []


def test_a_rounded_count_says_nothing_at_an_end() -> None:
    rounded = replace(USUAL, count=replace(USUAL.count, reported=100))
    record = waited(4, LOOKS_AT_END, witnessed=0, agreed=LOOKS_AT_END - 1, counted=True)

    assert proofs(rounded, cem(place=50, absence=record)) == []


def test_without_witnesses_and_count_only_a_long_time_decides() -> None:
    record = waited(10, 10, witnessed=0)

    assert proofs(SILENT, cem(place=50, absence=record)) == [Proof.WAITED_LONG]
    assert proofs(SILENT, cem(place=50, absence=waited(9.9, 30, witnessed=0))) == []


def test_a_list_that_shows_far_fewer_than_are_counted_loses_nobody_for_want_of_witnesses() -> None:
    short = replace(SILENT, count=replace(SILENT.count, reported=150))

    assert proofs(short, cem(place=50, absence=waited(60, 60, witnessed=0))) == []


PUSHED = replace(SILENT, suspect=True)


def test_who_is_pushed_off_the_end_is_beyond_and_not_lost() -> None:
    ((_, record),) = judge(PUSHED, [cem(place=50)]).absences

    assert record.beyond
    same = replace(record, since=NOW - 60 * DAY, looks=60, whole=60, last_at=NOW - DAY)
    assert proofs(SILENT, cem(place=50, absence=same)) == []


@pytest.mark.parametrize(("shown", "beyond"), [(99, True), (100, True), (101, False)])
def test_a_list_that_was_longer_since_is_not_capped_where_they_fell_off(shown, beyond) -> None:
    record = Absence(
        since=NOW - DAY, looks=3, whole=3, last_at=NOW - DAY, settled=True, suspect=True,
        shown=99, most=100, longer=1, beyond=True,
    )  # fmt: skip
    ((_, after),) = judge(replace(SILENT, shown=shown), [cem(place=50, absence=record)]).absences

    assert after.beyond is beyond


def test_a_look_that_misses_too_many_marks_nobody() -> None:
    odd = replace(USUAL, odd=True)

    assert judge(odd, [cem()]).absences == []
    assert implausible(11, 100)
    assert not implausible(10, 100)
    assert not implausible(5, 6)


def test_one_run_never_gives_two_looks_to_who_stood_where_two_pages_meet() -> None:
    seen = replace(ONCE, since=NOW, last_at=NOW, witnessed=0)
    again = replace(USUAL, again=True, whole=False, wide=False, at=NOW + 1)

    ((_, record),) = judge(again, [cem(absence=seen)]).absences

    assert (record.looks, record.witnessed) == (1, 1)
    assert judge(replace(again, at=NOW + 1), [cem(absence=record)]).absences == []


def test_a_hole_in_a_long_list_is_not_sparse() -> None:
    slice_ = replace(USUAL, whole=False, wide=True, sparse=True, explained=False)
    alone = judge(slice_, [cem()]).absences[0][1]
    crowd = judge(slice_, [Absent(key, 150 + key, True, None) for key in range(4)]).absences

    assert alone.counted
    assert not any(record.counted for _, record in crowd)


records = st.builds(
    Absence,
    since=st.integers(NOW - 30 * DAY, NOW - 1),
    looks=st.integers(0, 30),
    witnessed=st.integers(0, 30),
    agreed=st.integers(0, 30),
    whole=st.integers(0, 30),
    last_at=st.integers(NOW - 2 * DAY, NOW),
    settled=st.booleans(),
    counted=st.booleans(),
    suspect=st.booleans(),
    beyond=st.booleans(),
)


@given(record=records, explained=st.booleans(), place=st.integers(1, 300))
def test_a_batch_judged_twice_at_one_moment_changes_nothing_the_second_time(
    record: Absence, explained: bool, place: int
) -> None:
    context = replace(USUAL, explained=explained)
    first = judge(context, [cem(place=place, absence=record)])
    if first.lost:
        return
    after = first.absences[0][1] if first.absences else record
    second = judge(context, [cem(place=place, absence=after)])

    assert (second.lost, second.absences) == ([], [])


@given(record=records)
def test_nobody_is_proven_lost_who_is_beyond_or_was_never_missed_by_the_whole_list(
    record: Absence,
) -> None:
    if record.beyond or not record.whole:
        assert proven(USUAL, record) is None


@given(record=records)
def test_every_loss_took_two_looks(record: Absence) -> None:
    if proven(USUAL, record) is not None:
        assert max(record.witnessed, record.whole) >= 2
