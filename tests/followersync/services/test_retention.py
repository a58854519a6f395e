"""What the rules let go, goes; what is current stays, and copies elsewhere learn of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import LinkedAccount
from accounts.services import retention
from followersync import selectors
from followersync.domain.values import Kind
from followersync.errors import FeedGone
from followersync.models import (
    Follower,
    FollowerChange,
    FollowerSnapshot,
    PastFollow,
    SyncRun,
    SyncSettings,
)
from followersync.services import retention as ours
from tests.support.clock import Clock
from tests.support.sync import write

pytestmark = pytest.mark.django_db


@pytest.fixture
def aged(followed: LinkedAccount, clock: Clock, settings) -> LinkedAccount:
    """Three people came on one day each, a year ago and lately; one of them left."""
    settings.RETENTION_DAYS = {"history": 100, "snapshots": 100, "runs": 100}
    start = clock()
    for number, days in enumerate((400, 300, 5)):
        clock.moment = start - timedelta(days=days)
        write(followed, people=[(number + 1, f"person{number}")], kind=Kind.GAINED)
        FollowerSnapshot.objects.create(
            account=followed, at=clock(), mode="full", position=number, followers=number
        )
        SyncRun.objects.create(
            account=followed, trigger="schedule", state="succeeded", created_at=clock(),
            finished_at=clock(),
        )  # fmt: skip
        if number == 1:
            write(followed, lost=[1])
    clock.moment = start
    return followed


def test_old_history_goes_and_the_list_of_today_stays(aged):
    retention.apply()

    assert not PastFollow.objects.exists()
    assert Follower.objects.filter(account_id=aged.pk).count() == 2
    assert list(FollowerChange.objects.values_list("position", "kind")) == [(4, "gained")]


def test_who_reads_on_from_before_the_cut_is_told_to_list_again(aged):
    retention.apply()

    assert SyncSettings.objects.get(pk=aged.pk).first_position == 4
    with pytest.raises(FeedGone):
        selectors.changes_page(aged, after=1)
    assert [row.position for row in selectors.changes_page(aged, after=3).rows] == [4]


def test_a_feed_is_cut_in_batches_without_a_gap(aged, clock):
    before = clock() - timedelta(days=100)

    cut = [ours.history(before, 1) for _time in range(6)]

    assert sum(cut) == 4  # three entries and one interval
    assert SyncSettings.objects.get(pk=aged.pk).first_position == 4


def test_old_runs_and_snapshots_go(aged):
    done = retention.apply()

    assert (done["runs"], done["snapshots"]) == (2, 2)
    assert SyncRun.objects.count() == 1
    assert FollowerSnapshot.objects.count() == 1


def test_the_newest_snapshot_stays_however_old(aged, clock):
    clock.advance(days=1000)

    retention.apply()

    assert FollowerSnapshot.objects.get().position == 2


def test_open_runs_are_never_thinned(aged, clock):
    SyncRun.objects.create(account=aged, trigger="member", state="queued", created_at=clock())
    clock.advance(days=1000)

    retention.apply()

    assert SyncRun.objects.get().state == "queued"


def test_without_a_rule_history_stays(aged, settings):
    settings.RETENTION_DAYS = {}

    retention.apply()

    assert FollowerChange.objects.filter(account_id=aged.pk).count() == 4
    assert PastFollow.objects.count() == 1
