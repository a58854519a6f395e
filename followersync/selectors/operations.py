"""Operational figures over all accounts, for metrics and `manage.py doctor`; they name nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Q,
    Sum,
    Value,
)
from django.db.models.functions import Extract, Greatest

from accounts import clock
from accounts.models import LinkedAccount
from followersync.domain.patience import SITE_REMEMBERED
from followersync.models import SiteReappearance, SyncRun, SyncSettings, WebhookSubscription

#: Due for longer than this without a run is a sign that the queue has stopped.
OVERDUE = timedelta(minutes=10)
#: An open run without progress for this long is stuck; the dispatcher enqueues it again.
STUCK = timedelta(minutes=15)
FAILING_AFTER = 3


def operational_counts() -> dict[str, int]:
    """Counts by name, each a gauge of `/metrics` and a line of `manage.py doctor`."""
    now = clock.now()
    live = LinkedAccount.objects.filter(unlinked_at=None).aggregate(
        linked=Count("pk"),
        paused=Count("pk", filter=Q(paused_at__isnull=False)),
        reconnect=Count("pk", filter=Q(needs_reconnect_since__isnull=False)),
    )
    syncs = SyncSettings.objects.aggregate(
        overdue=Count("pk", filter=Q(next_due_at__lt=now - clock.for_real(OVERDUE))),
        failing=Count("pk", filter=Q(failures__gte=FAILING_AFTER)),
        followers=Sum("followers_count"),
    )
    runs = SyncRun.objects.filter(state__in=SyncRun.OPEN).aggregate(
        open=Count("pk"),
        stuck=Count(
            "pk",
            filter=Q(state__in=["queued", "running"], created_at__lt=now - clock.for_real(STUCK))
            & (Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - clock.for_real(STUCK))),
        ),
    )
    return {
        "accounts_linked": live["linked"],
        "accounts_paused": live["paused"],
        "accounts_needing_reconnection": live["reconnect"],
        "accounts_overdue": syncs["overdue"],
        "accounts_failing": syncs["failing"],
        "followers_held": syncs["followers"] or 0,
        "runs_open": runs["open"],
        "runs_stuck": runs["stuck"],
    }


def site_reappearance() -> dict[str, Any] | None:
    """The last time that missed people came back in many accounts at once.

    `accounts`, `at`, `hours`, while every account waits longer because of it; None: no such time.
    """
    now = clock.now()
    row = SiteReappearance.objects.filter(at__gt=now - timedelta(seconds=SITE_REMEMBERED)).first()
    if row is None:
        return None
    return {"accounts": row.accounts, "at": row.at, "hours": row.seconds // 3_600}


class Percentiles(Aggregate):
    """The median, the 95th percentile and the largest of a number, as a list."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(ARRAY[0.5, 0.95, 1.0]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = ArrayField(FloatField())


def sync_lag() -> dict[str, float]:
    """Seconds since accounts fell due, by percentile ("50", "95", "100"); not due yet counts 0."""
    since = ExpressionWrapper(Value(clock.now()) - F("next_due_at"), output_field=DurationField())
    late = Greatest(Extract(since, "epoch", output_field=FloatField()), Value(0.0))
    due = SyncSettings.objects.filter(next_due_at__isnull=False)
    found = due.aggregate(lag=Percentiles(late))["lag"] or [0.0, 0.0, 0.0]
    return dict(zip(("50", "95", "100"), found, strict=True))


def webhook_counts() -> dict[str, int]:
    """Members' webhooks: how many are failing now, and how many were disabled."""
    return WebhookSubscription.objects.aggregate(
        webhooks_failing=Count("pk", filter=Q(disabled_at=None, failures__gt=0)),
        webhooks_given_up=Count("pk", filter=Q(disabled_reason="failing")),
    )
