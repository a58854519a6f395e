"""Accounts that staff should look at, worst first, for the admin's overview."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, OuterRef, Subquery

from accounts import clock
from accounts.models import LinkedAccount
from followersync.models import SyncRun
from followersync.selectors.operations import FAILING_AFTER, OVERDUE

if TYPE_CHECKING:
    from django.db.models import QuerySet


def overdue(limit: int = 20) -> QuerySet[LinkedAccount]:
    """Due for longer than OVERDUE with no run open, longest first."""
    open_runs = SyncRun.objects.filter(account=OuterRef("pk"), state__in=SyncRun.OPEN)
    return (
        _watched()
        .filter(
            ~Exists(open_runs),
            paused_at=None,
            needs_reconnect_since=None,
            sync_settings__next_due_at__lt=clock.now() - clock.for_real(OVERDUE),
        )
        .order_by("sync_settings__next_due_at")[:limit]
    )


def failing(limit: int = 20) -> QuerySet[LinkedAccount]:
    """FAILING_AFTER failed runs in a row or more, most first, each with its `last_error`."""
    failed = SyncRun.objects.filter(account=OuterRef("pk"), state=SyncRun.State.FAILED)
    return (
        _watched()
        .filter(sync_settings__failures__gte=FAILING_AFTER)
        .annotate(last_error=Subquery(failed.order_by("-id").values("error_code")[:1]))
        .order_by("-sync_settings__failures")[:limit]
    )


def runs_of_the_day() -> list[tuple[str, str, int]]:
    """(state, error code, number) of the runs of the last 24 hours, most first."""
    made = SyncRun.objects.filter(created_at__gte=clock.now() - timedelta(days=1))
    counted = made.values_list("state", "error_code").annotate(n=Count("pk")).order_by("-n")
    return list(counted)


def _watched() -> QuerySet[LinkedAccount]:
    return LinkedAccount.objects.filter(unlinked_at=None).select_related("owner", "sync_settings")
