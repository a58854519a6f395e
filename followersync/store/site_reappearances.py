"""Site-wide reappearances: in how many accounts missed people came back at one time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from followersync.domain.patience import (
    AT_ONE_TIME,
    Reappearance,
    common_reappearance,
    remembered_site_reappearance,
)
from followersync.models import SiteReappearance, SyncSettings

COUNTED_EVERY = timedelta(minutes=10)
COUNTING = "followersync.sitereappearance"


def last_counted(now: datetime) -> tuple[Reappearance, ...]:
    """The site's last known reappearance, from the last count; one query."""
    return _remembered(SiteReappearance.objects.filter(pk=1).first(), now)


def count_if_due(now: datetime) -> tuple[Reappearance, ...]:
    """The same, counted anew after ten minutes, inside a transaction.

    One query, seven when it is counted. Concurrent callers do not wait and get the earlier result.
    """
    row = SiteReappearance.objects.filter(pk=1).first()
    due = row is None or not row.looked_at <= now < row.looked_at + COUNTED_EVERY
    if due and _lock_counting():
        row = _count(now)
    return _remembered(row, now)


def _remembered(row: SiteReappearance | None, now: datetime) -> tuple[Reappearance, ...]:
    found = None
    if row is not None and row.at is not None:
        found = Reappearance(int(row.at.timestamp()), row.seconds, row.looks)
    return remembered_site_reappearance(found, int(now.timestamp()))


def _lock_counting() -> bool:
    """Take the lock for counting, until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [COUNTING])
        row = cursor.fetchone()
        return row is not None and bool(row[0])


def _count(now: datetime) -> SiteReappearance:
    since = now - timedelta(seconds=AT_ONE_TIME)
    back = SyncSettings.objects.filter(came_back_at__gt=since)
    found = common_reappearance(
        [*back.order_by("-came_back_after").values_list("came_back_after", flat=True)],
        [*back.order_by("-came_back_looks").values_list("came_back_looks", flat=True)],
        synced=SyncSettings.objects.filter(last_synced_at__gt=since).count(),
        at=int(now.timestamp()),
    )
    values: dict[str, object] = {"looked_at": now}
    if found is not None:
        values |= {
            "at": now,
            "seconds": found.seconds,
            "looks": found.looks,
            "accounts": back.count(),
        }
    row, _ = SiteReappearance.objects.update_or_create(pk=1, defaults=values)
    return row
