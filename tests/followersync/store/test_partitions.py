"""A site that outgrows its disk divides its lists by account, and nobody's list changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from followersync import store
from followersync.models import Follower, FollowerChange, PastFollow
from followersync.store import partitions, retention
from tests.support.sync import assert_books_agree, connect, held, truth

pytestmark = pytest.mark.django_db


def everything() -> list[list[tuple]]:
    return [
        sorted(model.objects.values_list(), key=str)
        for model in (Follower, PastFollow, FollowerChange)
    ]


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = ANY(%s)", [list(partitions.TABLES)]
        )
        return {name for (name,) in cursor}


@pytest.fixture
def two(alice, bob, sandbox, clock):
    """Two accounts that have seen people come and go."""
    accounts = [connect(sandbox, alice, "ada"), connect(sandbox, bob, "bob")]
    for account in accounts:
        call_command("sync", account.pk)
        sandbox.change(account.instagram_id, follow=3, leave=2, rename=2)
        for _look in range(3):
            clock.advance(hours=6)
            call_command("sync", account.pk)
    return accounts


def test_rows_and_indexes_survive_division_and_its_end(two):
    before, named = everything(), indexes()

    call_command("partition_lists", 4)
    divided = everything()
    assert [partitions.parts_of(table) for table in partitions.TABLES] == [4, 4, 4]
    assert indexes() == named
    call_command("partition_lists", 8)
    call_command("partition_lists", 0)

    assert divided == everything() == before
    assert indexes() == named
    assert partitions.parts_of(partitions.TABLES[0]) == 0


@pytest.mark.slow
def test_syncs_go_on_in_divided_tables(two, sandbox, clock):
    call_command("partition_lists", 4)

    for account in two:
        # Not the oldest of all, of whom nobody can testify.
        people = [each["id"] for each in sandbox.true_list(account.instagram_id)[20:22]]
        sandbox.change(account.instagram_id, follow=2, leave=people, return_=1, rename=1)
        for _look in range(3):
            clock.advance(hours=6)
            call_command("sync", account.pk)

        assert held(account) == truth(sandbox, account)
        assert_books_agree(account)


def test_an_erasure_in_divided_tables_takes_no_row_of_somebody_elses(two):
    """Rows of two partitions may lie at the same address."""
    call_command("partition_lists", 2)
    mine, theirs = two
    kept = [m.objects.filter(account_id=theirs.pk).count() for m in (Follower, PastFollow)]

    while store.erase("follower", mine.pk, 50) or store.erase("pastfollow", mine.pk, 1):
        pass

    assert not Follower.objects.filter(account_id=mine.pk).exists()
    left = [m.objects.filter(account_id=theirs.pk).count() for m in (Follower, PastFollow)]
    assert left == kept


def test_retention_thins_divided_tables(two, clock):
    call_command("partition_lists", 2)
    count = PastFollow.objects.count()

    ids = [account.pk for account in two]
    assert retention.past_follows(ids, clock.moment + timedelta(seconds=1)) == count
    assert not PastFollow.objects.exists()


@pytest.mark.parametrize("parts", [-1, 1, 5000])
def test_an_impossible_number_of_parts_is_refused(parts):
    with pytest.raises(CommandError, match="PARTS"):
        call_command("partition_lists", parts)
