"""Figures over time, and the digest of the present list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import Case, QuerySet, When

from accounts.scopes import Scope
from accounts.selectors import consent_in_force, in_force
from followersync import store
from followersync.models import FollowerSnapshot, SyncSettings
from followersync.selectors.values import Digest, GrowthPoint

if TYPE_CHECKING:
    from accounts.models import LinkedAccount

# What is kept after a withdrawal is shown no more, until the member allows it again.
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


def looks(account: LinkedAccount, *, newest: int) -> list[GrowthPoint]:
    """One point for each of the newest syncs, oldest first."""
    names = ("at", "followers", "shown_count", "gained", "lost", "returned", "renamed")
    rows = snapshots(account).values_list(*names)[:newest]
    return [GrowthPoint(*row) for row in reversed(rows)]


def digest(account: LinkedAccount) -> Digest:
    """Over key and username of every follower, the unconfirmed too."""
    found = SyncSettings.objects.filter(pk=account.pk).first() or SyncSettings(account=account)
    return Digest(
        algorithm=ALGORITHM,
        key=bytes(found.digest_key).hex(),
        count=found.followers_count,
        value=found.digest,
        position=found.head,
        epoch=str(found.epoch),
    )
