"""Finding who is absent must stay quick for an account that PostgreSQL knows nothing of yet."""

from __future__ import annotations

import pytest
from django.db import connection

from followersync import store
from followersync.models import Follower

PEOPLE = 20_000
PAGE = 1000


@pytest.fixture
def unknown_to_statistics(db) -> int:
    """The statistics know of another account only; then a long first list is read."""
    others = [Follower(account_id=1, key=n, place=n, username=f"p{n}") for n in range(1, 3000)]
    Follower.objects.bulk_create(others)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE followersync_follower")
        cursor.execute(
            "INSERT INTO followersync_follower (account_id, key, place, source, sure, username)"
            " SELECT 2, n, n << 16, 1, true, 'q' || n FROM generate_series(1, %s) n",
            [PEOPLE],
        )
        cursor.execute(
            'INSERT INTO followersync_scanpage (account_id, number, part, at, spoiled, "limit",'
            " after, keys) SELECT 2, page, 'body', now(), '', %s, '', array(SELECT n FROM"
            "  generate_series((page - 1) * %s + 1, page * %s) n WHERE n %% 5000 <> 7)"
            " FROM generate_series(1, %s) page",
            [PAGE, PAGE, PAGE, PEOPLE // PAGE],
        )
    return 2


@pytest.mark.parametrize("ranges", [None, ((0, 1 << 62),)])
def test_a_new_account_s_first_long_list_is_judged_in_seconds_not_days(
    unknown_to_statistics, ranges
):
    account = unknown_to_statistics
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20s'")  # comparing each with each: minutes

    missing = store.count_absent(account, ranges, 1, end=0)
    batch = store.absent_batch(account, ranges, 1, after=None, limit=PAGE)

    assert (missing.absent, missing.new, missing.fresh) == (4, 4, 4)
    assert [each.key for each in batch] == [7, 5007, 10007, 15007]


def test_statements_after_it_are_planned_as_before(unknown_to_statistics):
    store.count_absent(unknown_to_statistics, None, 1, end=0)

    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == ("on",)
