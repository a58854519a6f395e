"""In how many accounts of the site people who had been missed came back at one time."""

from __future__ import annotations

from datetime import datetime, timedelta

from followersync.domain.patience import AT_ONE_TIME, Reappearance, across, told_by_site
from followersync.models import SiteReappearance, SyncSettings

COUNTED_EVERY = timedelta(minutes=10)


def reappearances(now: datetime) -> tuple[Reappearance, ...]:
    """What every account is told by the others; counted anew when that is ten minutes ago.

    One query, six when it is counted.
    """
    row = SiteReappearance.objects.filter(pk=1).first()
    if row is None or not row.looked_at <= now < row.looked_at + COUNTED_EVERY:
        row = _count(now)
    told = None
    if row.at is not None:
        told = Reappearance(int(row.at.timestamp()), row.seconds, row.looks)
    return told_by_site(told, int(now.timestamp()))


def _count(now: datetime) -> SiteReappearance:
    since = now - timedelta(seconds=AT_ONE_TIME)
    back = SyncSettings.objects.filter(came_back_at__gt=since)
    found = across(
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
