"""Who is proven absent; a mistake here says that somebody left who did not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.domain.count import Ledger, explains
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
from followersync.domain.patience import LOOKS, WAIT, Patience
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
    very_many=False,
    count=Ledger(reported=99, excess=0, fresh_explained=True, moved_at=NOW),
    explained=True,
    explained_exactly=True,
    sparse=False,
    shown=99,
    newcomers=0,
    midst=1,
    most=100,
    suspect=False,
    new_at_end=0,
    all_left=False,
    lately=1 << 62,
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


@given(
    flags=st.fixed_dictionaries(
        {
            name: st.booleans()
            for name in ("whole", "wide", "ordered", "mixed", "explained", "sparse", "shows_all")
        }
    ),
    place=st.integers(1, 300),
    weak=st.booleans(),
)
def test_one_look_never_loses_anybody_whatever_else_holds(
    flags: dict[str, bool], place: int, *, weak: bool
) -> None:
    patience = Patience(seconds=0, seconds_long=0) if weak else Patience()
    context = replace(USUAL, patience=patience, **flags)

    assert judge(context, [cem(place=place)]).lost == []


@pytest.mark.parametrize("seconds", [60, 3_600, LOOKS_APART - 1])
def test_what_withholds_a_row_now_withholds_it_minutes_later(seconds: int) -> None:
    just = replace(ONCE, since=NOW - seconds, last_at=NOW - seconds, whole_at=NOW - seconds)

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


def test_unless_it_has_since_come_down_by_all_who_are_missing() -> None:
    """Somebody left while the list was read: all who are first missed then would wait for days."""
    late = replace(ONCE, counted=False, agreed=0)
    ((_, record),) = judge(replace(USUAL, all_left=True), [cem(absence=late)]).absences

    assert record.counted


@pytest.mark.parametrize("changes", [{"lately": 149}, {"ordered": False}], ids=str)
def test_not_for_who_may_be_too_new_for_an_old_page(changes: dict) -> None:
    """It shows those who have left in their stead, so that the count seems to agree."""
    late = replace(ONCE, counted=False, agreed=0)
    context = replace(USUAL, all_left=True, **changes)
    ((_, record),) = judge(context, [cem(absence=late)]).absences

    assert not record.counted


def test_a_whole_look_soon_after_one_at_their_page_counts_as_whole_alone() -> None:
    """Else whoever stands on a page that is often looked at is never missed by a whole look."""
    often = replace(ONCE, whole=0, witnessed=5, looks=5, agreed=5, last_at=NOW - 3_600)
    (lost,) = judge(USUAL, [cem(absence=often)]).lost
    record = lost.absence

    assert (record.whole, record.whole_at, record.looks, record.last_at) == (1, NOW, 5, NOW - 3_600)


def test_two_whole_looks_within_six_hours_are_one() -> None:
    just = replace(ONCE, whole_at=NOW - LOOKS_APART + 1)

    assert [lost.absence.whole for lost in judge(USUAL, [cem(absence=just)]).lost] == [1]


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


COUNTS = {
    "silent": Ledger(reported=99, excess=1, unexplained=1, moved_at=NOW),
    "late": Ledger(reported=99, excess=0, moved_at=NOW, late_at=NOW - DAY),
    "short": Ledger(reported=150, excess=51, moved_at=NOW),
    "rounded": Ledger(reported=100, excess=1, moved_at=ONCE.since - 1),
    "stale": Ledger(reported=99, excess=0, moved_at=NOW, stale=True),
    "none": Ledger(),
}


@pytest.mark.parametrize("name", list(COUNTS))
def test_a_count_that_is_no_witness_makes_the_second_look_wait_for_days(name: str) -> None:
    count = COUNTS[name]
    told = explains(count, at=NOW)
    context = replace(USUAL, count=count, explained=told)
    long = replace(ONCE, since=NOW - WAIT, looks=LOOKS - 1, witnessed=LOOKS - 1, agreed=0)

    assert proofs(context, cem(absence=ONCE)) == []
    if name == "rounded":
        context = replace(context, count=replace(count, moved_at=long.since - 1))
    assert proofs(context, cem(absence=replace(long, looks=LOOKS - 2, witnessed=LOOKS - 2))) == []
    assert proofs(context, cem(absence=replace(long, since=NOW - WAIT + 1))) == []
    assert proofs(context, cem(absence=long)) == [Proof.WAITED]


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
    record = waited(14, 13, witnessed=0)

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


FELL_OFF = Absence(
    since=NOW - 3 * DAY, looks=3, whole=3, last_at=NOW - DAY, settled=True, suspect=True,
    shown=99, most=99, beyond=True,
)  # fmt: skip


def test_nor_is_one_that_shows_all_who_are_counted() -> None:
    ((_, after),) = judge(
        replace(SILENT, shows_all=True), [cem(place=50, absence=FELL_OFF)]
    ).absences

    assert not after.beyond


@pytest.mark.parametrize(("shorter", "beyond"), [(1, True), (2, False)])
def test_nor_is_one_that_got_shorter_while_nobody_newly_fell_off_it(
    shorter: int, beyond: bool
) -> None:
    record = replace(FELL_OFF, shorter=shorter)
    context = replace(SILENT, shown=90, count=replace(SILENT.count, reported=90))
    ((_, after),) = judge(context, [cem(place=50, absence=record)]).absences

    assert (after.shorter, after.beyond) == (shorter + 1, beyond)


def test_who_has_people_on_both_sides_is_never_called_beyond() -> None:
    ((_, record),) = judge(PUSHED, [cem(place=150)]).absences

    assert (record.suspect, record.beyond) == (False, False)


def test_a_look_that_misses_too_many_marks_nobody() -> None:
    odd = replace(USUAL, odd=True)

    assert judge(odd, [cem()]).absences == []
    assert proofs(odd, cem(absence=waited(60, 60))) == []
    assert implausible(11, 100)
    assert not implausible(10, 100)
    assert not implausible(5, 6)


def test_one_run_never_gives_two_looks_to_who_stood_where_two_pages_meet() -> None:
    seen = replace(ONCE, since=NOW, last_at=NOW, witnessed=0)
    again = replace(USUAL, again=True, whole=False, wide=False, at=NOW + 1)

    ((_, record),) = judge(again, [cem(absence=seen)]).absences

    assert (record.looks, record.witnessed) == (1, 1)
    assert judge(replace(again, at=NOW + 1), [cem(absence=record)]).absences == []


def test_who_stood_where_two_pages_meet_is_looked_for_on_one_page_made_of_both() -> None:
    above = Span(number=7, top=300, bottom=200, at=NOW - 5, after="b", limit=50)
    below = Span(number=8, top=190, bottom=100, at=NOW - 4, after="c", limit=50)
    met = replace(USUAL, testimony=Pages([above, below]))

    ((_, record),) = judge(met, [cem(place=195)]).absences
    looks = judge(met, [cem(place=195)]).looks

    assert record.witnessed == 0
    assert [(look.after, look.limits) for look in looks] == [("b", (25, 50))]
    apart = replace(USUAL, testimony=Pages([above, below._replace(number=9)]))
    assert judge(apart, [cem(place=195)]).looks == [], "another page was read between the two"


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


DOUBTFUL = Patience(looks_counted=4, seconds_counted=2 * DAY)


@pytest.mark.parametrize(
    ("days", "looks", "expected"),
    [(2, 3, []), (1.9, 4, []), (2, 4, [Proof.COUNTED])],
)
def test_where_people_came_back_the_count_proves_a_loss_later(
    days: float, looks: int, expected: list[Proof]
) -> None:
    record = waited(days, looks, agreed=looks - 1, counted=True)

    assert proofs(replace(USUAL, patience=DOUBTFUL), cem(absence=record)) == expected


@pytest.mark.parametrize(
    ("days", "looks", "expected"),
    [(13.5, 12, []), (13.4, 13, []), (13.5, 13, [Proof.WAITED_LONG])],
)
def test_a_long_time_alone_needs_as_many_looks(
    days: float, looks: int, expected: list[Proof]
) -> None:
    assert proofs(SILENT, cem(place=50, absence=waited(days, looks, witnessed=0))) == expected


def test_a_list_cut_short_is_no_look_at_whoever_stood_where_it_ends() -> None:
    """Its end is withheld for days: each reading in that time misses them."""
    short = replace(SILENT, count=replace(SILENT.count, reported=110))
    record = waited(3, 4, witnessed=0)

    ((_, missed),) = judge(short, [cem(place=50, absence=record)]).absences

    assert missed.whole == record.whole


def test_a_list_cut_short_is_a_look_at_whoever_has_witnesses() -> None:
    short = replace(SILENT, count=replace(SILENT.count, reported=110))
    record = waited(3, 4, witnessed=4)

    ((_, missed),) = judge(short, [cem(absence=record)]).absences

    assert missed.whole == record.whole + 1


@pytest.mark.parametrize(("looks", "expected"), [(4, []), (5, [Proof.COUNTED_AT_END])])
def test_at_an_end_it_takes_five_looks(looks: int, expected: list[Proof]) -> None:
    record = waited(4, looks, witnessed=0, agreed=looks - 1, counted=True)

    assert proofs(USUAL, cem(place=50, absence=record)) == expected


def test_the_times_of_twenty_looks_are_kept_the_newest_among_them() -> None:
    record = waited(3, 31, at=tuple(range(20)))
    ((_, after),) = judge(
        replace(SILENT, patience=Patience(looks=99)), [cem(absence=record)]
    ).absences

    assert (len(after.at), after.at[0], after.at[-1]) == (20, 0, NOW)


@pytest.mark.parametrize(("place", "counted"), [(150, False), (149, True)])
def test_no_count_speaks_for_the_loss_of_a_newcomer(place: int, *, counted: bool) -> None:
    """An old page lacks whoever came since, and shows whoever left since: it agrees by chance."""
    ((_, record),) = judge(replace(USUAL, lately=149), [cem(place=place)]).absences

    assert record.counted is counted


def test_who_has_no_witnesses_needs_a_count_without_noise() -> None:
    """In a long list somebody cut off at its end would be lost as noise."""
    record = replace(ONCE, whole=4, agreed=4, since=NOW - 5 * DAY)
    noisy = replace(USUAL, explained_exactly=False)

    assert proofs(USUAL, cem(place=50, absence=record)) == [Proof.COUNTED_AT_END]
    assert proofs(noisy, cem(place=50, absence=record)) == []
