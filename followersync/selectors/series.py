"""Figures over time (snapshots, growth, daily counts), and the digest of the current list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import Case, QuerySet, When

from accounts.scopes import Scope
from accounts.selectors import consent_in_force, in_force
from followersync import store
from followersync.models import FollowerSnapshot, SyncSettings
from followersync.selectors.answers import CountPoint, Digest, GrowthPoint

if TYPE_CHECKING:
    from accounts.models import LinkedAccount

# What is kept after a withdrawal is not shown until the member allows it again.
SHOWN_COUNT = Case(
    When(in_force(Scope.PROFILE, '"followersync_followersnapshot"."account_id"'), then="reported")
)
# The description stands in docs/digest.md, with vectors.
ALGORITHM = "threadsite-digest-1"


def snapshots(account: LinkedAccount) -> QuerySet[FollowerSnapshot]:
    """Newest first. `shown_count`: Instagram's own, where the member allows showing it."""
    rows = FollowerSnapshot.objects.filter(account=account).annotate(shown_count=SHOWN_COUNT)
    return rows.order_by("-at", "-id")


def growth(account: LinkedAccount, *, date_from: date, date_to: date) -> list[GrowthPoint]:
    """One point for each UTC day in [date_from, date_to] with a sync, oldest first."""
    begin = datetime.combine(date_from, time.min, UTC)
    end = datetime.combine(date_to, time.min, UTC) + timedelta(days=1)
    points = [GrowthPoint(*row) for row in store.daily_series(account.pk, begin, end)]
    if not consent_in_force(account.pk, Scope.PROFILE):
        return [replace(point, reported=None) for point in points]
    return points


def newest_snapshot(account: LinkedAccount) -> FollowerSnapshot | None:
    """What the last look found, without Instagram's own count."""
    return store.newest_snapshot(account.pk)


def looks(account: LinkedAccount, *, newest: int, shows_count: bool) -> list[CountPoint]:
    """One point for each of the newest syncs, oldest first."""
    rows = FollowerSnapshot.objects.filter(account=account).order_by("-at", "-id")
    points = [CountPoint(*row) for row in rows.values_list("at", "followers", "reported")[:newest]]
    return _as_shown(points[::-1], shows_count)


def daily_counts(
    account: LinkedAccount, *, date_from: date, date_to: date, shows_count: bool
) -> list[CountPoint]:
    """Only the counts of `growth`."""
    begin = datetime.combine(date_from, time.min, UTC)
    end = datetime.combine(date_to, time.min, UTC) + timedelta(days=1)
    points = [CountPoint(*row) for row in store.last_of_each_day(account.pk, begin, end)]
    return _as_shown(points, shows_count)


def _as_shown(points: list[CountPoint], shows_count: bool) -> list[CountPoint]:
    if shows_count:
        return points
    return [CountPoint(point.at, point.followers, None) for point in points]


def digest(account: LinkedAccount) -> Digest:
    """The digest over key and username of every follower, the unconfirmed included."""
    found = SyncSettings.objects.filter(pk=account.pk).first() or SyncSettings(account=account)
    return Digest(
        algorithm=ALGORITHM,
        key=bytes(found.digest_key).hex(),
        count=found.followers_count,
        value=found.digest,
        position=found.head,
        epoch=str(found.epoch),
    )
