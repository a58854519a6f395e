"""How long runs, history and snapshots stay: this carries out what the operator has set."""

from __future__ import annotations

from datetime import datetime

from accounts import registry
from followersync.models import FollowerSnapshot
from followersync.store import thin


def register() -> None:
    """Called once, when the app is ready."""
    registry.register_thinner("runs", thin.ended_runs)
    registry.register_thinner("history", history)
    registry.register_thinner("snapshots", snapshots)


def history(older_than: datetime, limit: int) -> int:
    """Closed intervals, and the old end of feeds."""
    return thin.past_follows(older_than, limit) + thin.old_changes(older_than, limit)


def snapshots(older_than: datetime, limit: int) -> int:
    """Snapshots of before then; the newest of each account stays, since it says what holds now."""
    newest = (
        FollowerSnapshot.objects.order_by("account_id", "-at", "-id")
        .distinct("account_id")
        .values("pk")
    )
    old = FollowerSnapshot.objects.filter(at__lt=older_than).exclude(pk__in=newest)
    return thin.drop_snapshots(list(old.order_by("pk").values_list("pk", flat=True)[:limit]))
