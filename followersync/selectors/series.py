"""Figures over time, and the digest of the present list."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from followersync import store
from followersync.models import FollowerSnapshot, SyncSettings
from followersync.selectors.values import Digest, GrowthPoint

if TYPE_CHECKING:
    from accounts.models import LinkedAccount

# The description stands in docs/digest.md, with vectors.
ALGORITHM = "threadsite-digest-1"


def snapshots(account: LinkedAccount) -> QuerySet[FollowerSnapshot]:
    """Newest first."""
    return FollowerSnapshot.objects.filter(account=account).order_by("-at", "-id")


def growth(account: LinkedAccount, *, date_from: date, date_to: date) -> list[GrowthPoint]:
    """One point for each UTC day in [date_from, date_to] with a sync, oldest first."""
    begin = datetime.combine(date_from, time.min, UTC)
    end = datetime.combine(date_to, time.min, UTC) + timedelta(days=1)
    return [GrowthPoint(*row) for row in store.daily_series(account.pk, begin, end)]


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
