"""Erasure of followersync's data with an account, or with the consent that covered it."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from accounts import data_catalogue, registry
from accounts.scopes import Scope
from accounts.selectors import consent_in_force
from followersync import store
from followersync.models import (
    FollowerSnapshot,
    Mode,
    SyncRun,
    SyncSettings,
    WatchedFolder,
    WebhookSubscription,
)
from followersync.models.settings import new_digest_key
from followersync.services import call_budget
from followersync.services.personal_data import retention, suppression

if TYPE_CHECKING:
    from django.db.models import QuerySet

# The names of the row counts in erasures and receipts.
KINDS = {
    "scanpage": "scan_pages",
    "absence": "absences",
    "follower": "followers",
    "pastfollow": "past_follows",
    "followerchange": "changes",
    "followersnapshot": "snapshots",
    "fullscan": "full_scans",
    "syncrun": "sync_runs",
    "syncsettings": "sync_settings",
}


# Rows that another consent may cover too: erased by functions of their own.
SHARED = {"followersnapshot", "syncrun", "syncsettings"}


def register() -> None:
    """Tables are erased with the account; with a consent those that no other one covers."""
    for table in store.ERASABLE:
        erase = partial(store.erase, table)
        registry.register_eraser(KINDS[table], erase)
        if table not in SHARED:
            registry.register_scope_eraser(Scope.FOLLOWERS, KINDS[table], erase)
    registry.register_scope_eraser(Scope.FOLLOWERS, "snapshots", erase_lists)
    registry.register_scope_eraser(Scope.FOLLOWERS, "sync_runs", erase_list_runs)
    registry.register_scope_eraser(Scope.FOLLOWERS, "sync_state", reset)
    registry.register_scope_eraser(Scope.PROFILE, "snapshots", erase_counts)
    registry.register_scope_eraser(Scope.PROFILE, "sync_runs", erase_count_runs)
    registry.register_scope_eraser(Scope.PROFILE, "sync_state", reset_count)
    registry.register_eraser("call_budgets", call_budget.erase)
    for task in ("advance_run", "advance_runs"):
        registry.register_task_keys(f"followersync.tasks.{task}", _run_ids)
    registry.register_task_keys("followersync.tasks.look_into_folder", _folder_ids)
    registry.register_task_keys("followersync.tasks.notify_subscription", _subscription_ids)
    # The budget's rows are named after the account or app they limit.
    data_catalogue.key("followersync_callbudget", "name", of="account", form="account:{}")
    data_catalogue.exempt("followersync_sitereappearance", "figures over all accounts")
    for table in ("follower", "pastfollow", "followerchange", "absence", "scanpage"):
        data_catalogue.lists_people(f"followersync_{table}")
    suppression.register()
    retention.register()


def erase_lists(account_id: int, limit: int) -> int:
    """Snapshots; of those with a count that another consent still covers, only the list's part."""
    rows = FollowerSnapshot.objects.filter(account_id=account_id)
    if not consent_in_force(account_id, Scope.PROFILE):
        return store.erase("followersnapshot", account_id, limit)
    counted = rows.filter(reported__isnull=False, followers__isnull=False)
    return _delete(rows.filter(reported__isnull=True), limit) or _only_counts(counted, limit)


def _only_counts(rows: QuerySet[FollowerSnapshot], limit: int) -> int:
    return rows.model._default_manager.filter(pk__in=_first(rows, limit)).update(
        mode=Mode.COUNT, position=0, followers=None, unconfirmed=0, complete=False, digest="",
        evidence={}, gained=0, found=0, lost=0, returned=0, renamed=0,
    )  # fmt: skip


def erase_list_runs(account_id: int, limit: int) -> int:
    """Runs; except runs that read only the count, where the consent to it is in force."""
    if not consent_in_force(account_id, Scope.PROFILE):
        return store.erase("syncrun", account_id, limit)
    rows = SyncRun.objects.filter(account_id=account_id).exclude(mode=Mode.COUNT)
    return _delete(rows.exclude(state__in=SyncRun.OPEN), limit)


def erase_counts(account_id: int, limit: int) -> int:
    """Instagram's own count in snapshots, and snapshots that contain nothing else."""
    rows = FollowerSnapshot.objects.filter(account_id=account_id)
    counted = rows.filter(reported__isnull=False).exclude(mode=Mode.COUNT)
    return _delete(rows.filter(mode=Mode.COUNT), limit) or rows.filter(
        pk__in=_first(counted, limit)
    ).update(reported=None)


def erase_count_runs(account_id: int, limit: int) -> int:
    """Runs that read only the count, unless the list's consent covers them too."""
    if consent_in_force(account_id, Scope.FOLLOWERS):
        return 0
    rows = SyncRun.objects.filter(account_id=account_id, mode=Mode.COUNT)
    return _delete(rows.exclude(state__in=SyncRun.OPEN), limit)


def _delete(rows: QuerySet[Any], limit: int) -> int:
    deleted: int
    deleted, _kinds = rows.model._default_manager.filter(pk__in=_first(rows, limit)).delete()
    return deleted


def _first(rows: QuerySet[Any], limit: int) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def reset(account_id: int, _limit: int) -> int:
    """Clear what the settings know of the list; copies of the feed get 410.

    The row stays, with the member's interval, and with the count and when it is read next where the
    consent to that is in force. Returns 1 once, then 0.
    """
    counted = consent_in_force(account_id, Scope.PROFILE)
    rows = SyncSettings.objects.filter(pk=account_id)
    known = rows.exclude(
        memory={}, head=0, followers_count=0, baseline_at=None, **({} if counted else NO_COUNT)
    )
    return known.update(
        memory={},
        came_back_at=None,
        came_back_after=0,
        came_back_looks=0,
        head=0,
        first_position=1,
        epoch=uuid.uuid4(),
        digest_key=new_digest_key(),
        digest="0" * 64,
        followers_count=0,
        complete=False,
        baseline_at=None,
        last_change_at=None,
        **({} if counted else NO_COUNT | NOT_DUE),
    )


def reset_count(account_id: int, _limit: int) -> int:
    """Clear the last count, unless it still checks a list. Returns 1 once, then 0."""
    if consent_in_force(account_id, Scope.FOLLOWERS):
        return 0
    rows = SyncSettings.objects.filter(pk=account_id)
    return rows.exclude(**NO_COUNT).update(**NO_COUNT | NOT_DUE)


NO_COUNT: dict[str, Any] = {"reported": None}
NOT_DUE: dict[str, Any] = {
    "last_synced_at": None,
    "next_due_at": None,
    "not_before": None,
    "failures": 0,
}


def _run_ids(account_id: int) -> list[int]:
    """Ids of the account's runs, by which the queue's tasks are recognised."""
    return list(SyncRun.objects.filter(account_id=account_id).values_list("pk", flat=True))


def _folder_ids(account_id: int) -> list[int]:
    return list(WatchedFolder.objects.filter(account_id=account_id).values_list("pk", flat=True))


def _subscription_ids(account_id: int) -> list[int]:
    """The member's, who may keep others: the next tick enqueues their tasks again."""
    theirs = WebhookSubscription.objects.filter(owner__linked_accounts=account_id)
    return list(theirs.values_list("pk", flat=True))
