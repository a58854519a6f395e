"""What the rules let go, goes; what is current stays, and copies elsewhere learn of it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db.models import Sum

from accounts.models import LinkedAccount
from accounts.registry import Progress
from followersync import selectors
from followersync.domain.values import AddedKind
from followersync.errors import FeedGone
from followersync.models import (
    Follower,
    FollowerChange,
    FollowerSnapshot,
    PastFollow,
    SyncRun,
    SyncSettings,
)
from followersync.services.personal_data import retention as ours
from tests.support.clock import Clock
from tests.support.factories import LinkedAccountFactory
from tests.support.retention import apply_retention
from tests.support.sync import write

pytestmark = pytest.mark.django_db


@pytest.fixture
def aged(followed: LinkedAccount, clock: Clock, settings) -> LinkedAccount:
    """Three people came on one day each, a year ago and lately; one of them left."""
    settings.RETENTION_DAYS = {"history": 100, "snapshots": 100, "runs": 100}
    start = clock()
    for number, days in enumerate((400, 300, 5)):
        clock.moment = start - timedelta(days=days)
        write(followed, people=[(number + 1, f"person{number}")], kind=AddedKind.GAINED)
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
    apply_retention()

    assert not PastFollow.objects.exists()
    assert Follower.objects.filter(account_id=aged.pk).count() == 2
    assert list(FollowerChange.objects.values_list("position", "kind")) == [(4, "gained")]


def test_who_reads_on_from_before_the_cut_is_told_to_list_again(aged):
    apply_retention()

    assert SyncSettings.objects.get(pk=aged.pk).first_position == 4
    with pytest.raises(FeedGone):
        selectors.changes_page(aged, after=1)
    assert [row.position for row in selectors.changes_page(aged, after=3).rows] == [4]


def test_a_feed_is_cut_without_a_gap_and_a_broken_off_night_goes_on_where_it_stood(
    aged, clock, monkeypatch
):
    monkeypatch.setattr(ours, "ACCOUNTS", 1)
    before, progress = clock() - timedelta(days=100), Progress()
    LinkedAccountFactory(username="of.somebody.else")

    cut = [ours.history(before, progress, time.monotonic() + 0.001) for _time in range(1)]
    stood = dict(progress.cursor)
    while not progress.finished:
        cut.append(ours.history(before, progress, time.monotonic() + 60))

    assert stood["account"] > 0
    assert sum(cut) == 4  # three entries and one interval
    assert SyncSettings.objects.get(pk=aged.pk).first_position == 4


def test_old_runs_and_snapshots_go(aged):
    done = apply_retention()

    assert (done["runs"], done["snapshots"]) == (2, 2)
    assert SyncRun.objects.count() == 1
    assert FollowerSnapshot.objects.count() == 1


def test_the_newest_snapshot_stays_however_old(aged, clock):
    clock.advance(days=1000)

    apply_retention()

    assert FollowerSnapshot.objects.get().position == 2


def test_open_runs_are_never_thinned(aged, clock):
    SyncRun.objects.create(account=aged, trigger="member", state="queued", created_at=clock())
    clock.advance(days=1000)

    apply_retention()

    assert SyncRun.objects.get().state == "queued"


def test_without_a_rule_history_stays(aged, settings):
    settings.RETENTION_DAYS = {}

    apply_retention()

    assert FollowerChange.objects.filter(account_id=aged.pk).count() == 4
    assert PastFollow.objects.count() == 1


def looks(account: LinkedAccount, clock: Clock, *, days: int, per_day: int = 4, **more) -> None:
    """Syncs over some days until now, each with one person more."""
    start = clock()
    for number in range(days * per_day):
        clock.moment = start - timedelta(days=days) + timedelta(days=number / per_day, hours=1)
        FollowerSnapshot.objects.create(
            account=account, at=clock(), mode="full", position=number, followers=100 + number,
            gained=1, complete=True, **more,
        )  # fmt: skip
    clock.moment = start


def total(account: LinkedAccount) -> dict[str, int]:
    names = ("gained", "found", "lost", "returned", "renamed")
    return FollowerSnapshot.objects.filter(account=account).aggregate(**{n: Sum(n) for n in names})


@pytest.mark.slow
def test_old_counts_thin_out_to_one_a_day_and_later_one_a_week(followed, clock: Clock):
    """Four a day for three years: history stays cheap, and the curve keeps its shape."""
    FollowerSnapshot.objects.all().delete()
    looks(followed, clock, days=3 * 365)
    before = total(followed)
    newest = clock() - timedelta(days=90)

    apply_retention()

    rows = FollowerSnapshot.objects.filter(account=followed)
    assert rows.filter(at__gte=newest).count() in range(4 * 90, 4 * 91 + 1)
    assert rows.count() in range(4 * 90 + 630 + 50, 4 * 91 + 645 + 60)
    assert total(followed) == before
    figures = selectors.growth(
        followed, date_from=(clock() - timedelta(days=1200)).date(), date_to=clock().date()
    )
    curve = [point.followers or 0 for point in figures]
    assert curve == sorted(curve)
    assert sum(point.gained for point in figures) == before["gained"]


def test_a_second_night_thins_only_what_has_grown_old_since(followed, clock: Clock):
    FollowerSnapshot.objects.all().delete()
    looks(followed, clock, days=100)
    progress = Progress()
    before = clock() - timedelta(days=90)
    assert ours.merge("day", before, progress, time.monotonic() + 60) > 0
    assert progress.finished

    again = Progress(memory=progress.memory)
    assert ours.merge("day", before, again, time.monotonic() + 60) == 0
    clock.advance(days=1)
    tomorrow = Progress(memory=progress.memory)

    later = before + timedelta(days=1)
    assert ours.merge("day", later, tomorrow, time.monotonic() + 60) == 3


def test_what_proves_a_loss_and_the_last_look_of_each_kind_stay(followed, clock: Clock):
    FollowerSnapshot.objects.all().delete()
    start = clock().replace(hour=0) - timedelta(days=200)
    kinds = [
        ("full", {"complete": True, "followers": 9}),
        ("full", {"lost": 1, "gained": 2}),
        ("import", {"gained": 5}),
        ("head", {"found": 1}),
        ("full", {"renamed": 3}),
        ("head", {"returned": 1}),
    ]
    for hour, (mode, figures) in enumerate(kinds):
        FollowerSnapshot.objects.create(
            account=followed, at=start + timedelta(hours=hour), mode=mode, position=1, **figures
        )
    before = total(followed)

    apply_retention()

    left = FollowerSnapshot.objects.filter(account=followed).order_by("at")
    assert [(row.mode, row.lost, row.gained, row.found) for row in left] == [
        ("full", 0, 0, 0),
        ("full", 1, 2, 0),
        ("import", 0, 5, 0),
        ("full", 0, 0, 1),
        ("head", 0, 0, 0),
    ]
    assert total(followed) == before


def test_counts_are_kept_as_they_are_where_the_operator_says_so(followed, clock, settings):
    settings.RETENTION_DAYS = {"snapshots_daily": 0, "snapshots_weekly": 0}
    FollowerSnapshot.objects.all().delete()
    looks(followed, clock, days=200)

    apply_retention()

    assert FollowerSnapshot.objects.count() == 800
