"""How what followersync holds leaves with its account, or with the consent that paid for it."""

from __future__ import annotations

import uuid
from functools import partial

from accounts import catalogue, registry
from accounts.scopes import Scope
from followersync import store
from followersync.models import SyncRun, SyncSettings, WatchedFolder, WebhookSubscription
from followersync.models.settings import new_digest_key
from followersync.services import budget, retention, suppressing

# The names under which erasures count the rows, in their receipts too.
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


def register() -> None:
    """All tables go with the account; with the consent to followers all but the settings."""
    for table in store.ERASABLE:
        erase = partial(store.erase, table)
        registry.register_eraser(KINDS[table], erase)
        if table != "syncsettings":
            registry.register_scope_eraser(Scope.FOLLOWERS, KINDS[table], erase)
    registry.register_scope_eraser(Scope.FOLLOWERS, "sync_state", reset)
    registry.register_eraser("call_budgets", budget.erase)
    for task in ("advance_run", "advance_runs"):
        registry.register_task_keys(f"followersync.tasks.{task}", _run_ids)
    registry.register_task_keys("followersync.tasks.look_into_folder", _folder_ids)
    registry.register_task_keys("followersync.tasks.tell_subscriber", _subscription_ids)
    # The budget's rows are named after what they limit.
    catalogue.key("followersync_callbudget", "name", of="account", form="account:{}")
    for table in ("follower", "pastfollow", "followerchange"):
        catalogue.lists_people(f"followersync_{table}")
    suppressing.register()
    retention.register()


def reset(account_id: int, _limit: int) -> int:
    """Forget what the settings know of the list; a copy of the feed elsewhere learns of it (410).

    The row stays, with the member's interval. Returns 1 once, then 0.
    """

    return (
        SyncSettings.objects.filter(pk=account_id)
        .exclude(memory={}, head=0, followers_count=0, reported=None, baseline_at=None)
        .update(
            memory={},
            head=0,
            first_position=1,
            epoch=uuid.uuid4(),
            digest_key=new_digest_key(),
            digest="0" * 64,
            followers_count=0,
            reported=None,
            complete=False,
            baseline_at=None,
            last_synced_at=None,
            last_change_at=None,
            next_due_at=None,
            not_before=None,
            failures=0,
        )
    )


def _run_ids(account_id: int) -> list[int]:
    """The queue's tasks carry the ids of runs, by which they are known to be the account's."""
    return list(SyncRun.objects.filter(account_id=account_id).values_list("pk", flat=True))


def _folder_ids(account_id: int) -> list[int]:
    return list(WatchedFolder.objects.filter(account_id=account_id).values_list("pk", flat=True))


def _subscription_ids(account_id: int) -> list[int]:
    """The member's, who may have others still: a bell too few is rung again by the next tick."""
    theirs = WebhookSubscription.objects.filter(owner__linked_accounts=account_id)
    return list(theirs.values_list("pk", flat=True))
