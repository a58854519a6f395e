"""Which scan next: every needless page is budget that another member lacks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from followersync.domain.planner import DAY, count_is_outside, page_size, why_full
from followersync.domain.state import ListOrder, Memory
from followersync.domain.values import ScanReason

NOW = 1_000 * DAY
SETTLED = Memory(
    complete=True,
    order=ListOrder.CONFIRMED,
    scans=4,
    full_at=NOW - 3_600,
    pages=40,
    people=4_000,
    gap=10,
    held=(4_000, 4_000, 4_000),
)


def why(memory: Memory = SETTLED, **changes: int) -> ScanReason | None:
    values = {"now": NOW, "reported": 4_010, "followers": 4_000, "unconfirmed": 0}
    return why_full(memory, **(values | changes))


@pytest.mark.parametrize(
    ("memory", "changes", "expected"),
    [
        (SETTLED, {}, None),
        (Memory(), {}, ScanReason.FIRST),
        (SETTLED, {"reported": 4_006}, None),
        (replace(SETTLED, outside=1), {"reported": 4_006}, ScanReason.COUNT),
        (SETTLED, {"reported": 3_950}, ScanReason.COUNT),
        (SETTLED, {"reported": 4_020, "followers": 4_010}, None),
        (SETTLED, {"unconfirmed": 1}, None),
        (replace(SETTLED, full_at=NOW - DAY), {"unconfirmed": 1}, ScanReason.UNCONFIRMED),
        (
            replace(SETTLED, pages=5, full_at=NOW - 6 * 3600),
            {"unconfirmed": 1},
            ScanReason.UNCONFIRMED,
        ),
        (replace(SETTLED, pages=5, full_at=NOW - 3600), {"unconfirmed": 1}, None),
        (SETTLED, {"reported": None}, None),
        (replace(SETTLED, full_at=NOW - 7 * DAY), {}, ScanReason.AGE),
        (replace(SETTLED, pages=5, full_at=NOW - DAY), {}, ScanReason.AGE),
        (replace(SETTLED, pages=6, full_at=NOW - DAY), {}, None),
        (replace(SETTLED, pages=20, full_at=NOW - 2 * DAY), {}, ScanReason.AGE),
        (replace(SETTLED, pages=3, order=ListOrder.NEW), {}, ScanReason.ORDER),
        (
            replace(SETTLED, pages=20, whole_wanted=True, full_at=NOW - 6 * 3600),
            {},
            ScanReason.UNCONFIRMED,
        ),
        (replace(SETTLED, pages=21, whole_wanted=True, full_at=NOW - 6 * 3600), {}, None),
    ],
)
def test_the_whole_list_is_read_only_for_a_reason(
    memory: Memory, changes: dict[str, int], expected: ScanReason | None
) -> None:
    assert why(memory, **changes) is expected


def test_a_count_that_lags_behind_what_was_held_is_explained() -> None:
    memory = replace(SETTLED, held=(3_990, 3_995, 4_000))

    assert count_is_outside(memory, 4_000, 4_000) == 0
    assert count_is_outside(memory, 3_990, 4_000) == 10


def test_while_somebody_is_unconfirmed_page_ends_fall_elsewhere_every_other_time() -> None:
    odd = replace(SETTLED, scans=5)

    assert page_size(odd, limit=70, unconfirmed=1) == 60
    assert page_size(odd, limit=70, unconfirmed=0) == 70
    assert page_size(SETTLED, limit=70, unconfirmed=1) == 70
    assert page_size(odd, limit=1, unconfirmed=1) == 1


@pytest.mark.parametrize(
    ("people", "limit", "size"),
    [
        (103, 20, 18),
        (110, 20, 20),
        (100, 20, 20),
        (15, 20, 20),
        (63, 20, 20),
        (5_003, 1_000, 998),
    ],
)
def test_the_last_page_holds_enough_people_to_testify_where_a_few_rows_less_do_it(
    people: int, limit: int, size: int
) -> None:
    assert page_size(replace(SETTLED, people=people), limit=limit, unconfirmed=0) == size
