"""What members are told of somebody unconfirmed: a wrong date is a promise that is not kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.domain import losses
from followersync.domain.count import Ledger
from followersync.domain.losses import WAIT_AT_END, JudgeContext, proven
from followersync.domain.outlook import Outlook, Waits, outlook
from followersync.domain.patience import DAY, WAIT, WAIT_LONG, Patience, Reappearance, patience_of
from followersync.domain.values import LOOKS_APART, Absence

SINCE = 1_000 * DAY
LAST = SINCE + LOOKS_APART
MISSED = Absence(since=SINCE, looks=2, whole=2, last_at=LAST)


@pytest.mark.parametrize(
    ("changes", "waits", "at"),
    [
        ({"witnessed": 1, "agreed": 1}, Waits.SECOND_LOOK, LAST + LOOKS_APART),
        ({"witnessed": 2}, Waits.COUNT, SINCE + WAIT),
        ({"agreed": 2}, Waits.AT_END, SINCE + WAIT_AT_END),
        ({}, Waits.NO_WITNESS, SINCE + WAIT_LONG),
        ({"beyond": True}, Waits.BEYOND, None),
        ({"beyond": True, "witnessed": 2, "agreed": 2}, Waits.BEYOND, None),
    ],
)
def test_a_member_is_told_what_is_waited_for_and_until_when(
    changes: dict[str, int], waits: Waits, at: int | None
) -> None:
    record = replace(MISSED, **changes)

    assert outlook(record, Patience(), next_look=LAST) == Outlook(waits, at)


def test_where_people_came_back_the_looks_that_are_still_missing_are_counted() -> None:
    doubtful = patience_of((Reappearance(SINCE - DAY, 60, 2),), SINCE)
    record = Absence(SINCE, 1, 1, 1, 1, last_at=SINCE)

    assert outlook(record, doubtful, next_look=SINCE).at == SINCE + 3 * LOOKS_APART


def test_in_a_list_of_mixed_order_the_next_look_is_not_promised_to_decide() -> None:
    record = replace(MISSED, witnessed=1, agreed=1)
    told = outlook(record, Patience(), next_look=LAST, mixed=True)

    assert told == Outlook(Waits.MIXED, SINCE + WAIT_AT_END)


def test_no_date_is_told_that_is_past_already() -> None:
    """The account was paused: days went by and looks did not."""
    record = Absence(SINCE, 3, 2, 0, 3, last_at=SINCE + DAY)
    now = SINCE + 20 * DAY

    assert outlook(record, Patience(), next_look=now).at == now + 5 * LOOKS_APART


@given(
    looks=st.integers(1, 16),
    witnessed=st.integers(0, 16),
    agreed=st.integers(0, 16),
    whole=st.integers(1, 16),
    late=st.integers(0, 12 * DAY),
    pause=st.integers(0, 5 * DAY),
    back=st.none() | st.tuples(st.integers(0, 5 * DAY), st.integers(1, 8)),
    mixed=st.booleans(),
)
def test_the_verdict_comes_with_the_first_look_at_the_time_that_was_told_or_later(
    looks, witnessed, agreed, whole, late, pause, back, mixed
) -> None:
    """If each further look is as those before, six hours after the other."""
    witnessed, agreed, whole = min(witnessed, looks), min(agreed, looks), min(whole, looks)
    record = Absence(SINCE, looks, witnessed, agreed, whole, last_at=SINCE + late)
    patience = patience_of((Reappearance(SINCE, *back),) if back else (), SINCE)
    next_look = record.last_at + pause

    told = outlook(record, patience, next_look=next_look, mixed=mixed)

    at = max(record.last_at + LOOKS_APART, next_look)
    while True:
        record = replace(
            record,
            looks=record.looks + 1,
            witnessed=record.witnessed + (witnessed > 0),
            agreed=record.agreed + (agreed > 0),
            whole=record.whole + 1,
        )
        if proven(_context(at, patience, mixed=mixed), record):
            break
        at += LOOKS_APART
    assert told.at is not None
    assert told.at <= at < told.at + LOOKS_APART


def _context(at: int, patience: Patience, *, mixed: bool) -> JudgeContext:
    return JudgeContext(
        testimony=losses.Testimony(()),
        at=at,
        began=at,
        whole=True,
        wide=True,
        ordered=True,
        doubtful=False,
        mixed=mixed,
        zone=0,
        end=0,
        odd=False,
        very_many=False,
        count=Ledger(),
        explained=True,
        explained_exactly=True,
        sparse=True,
        shown=100,
        newcomers=0,
        midst=0,
        most=100,
        suspect=False,
        new_at_end=0,
        all_left=False,
        lately=1 << 62,
        shows_all=False,
        patience=patience,
    )
