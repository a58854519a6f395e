"""Store: bulk reads and writes in raw SQL, set by set."""

from __future__ import annotations

from followersync.store.call_budget import take_calls
from followersync.store.current import EMPTY_BLOCK, Block, load_block, load_stored
from followersync.store.current_pages import ListQuery, ListRow, list_followers, list_head
from followersync.store.current_writes import (
    EndedInterval,
    FeedEntry,
    add,
    append,
    lose,
    lost_before,
    move,
    raise_head,
    rename,
)
from followersync.store.due_jobs import ERASABLE, claim_due, erase, recount
from followersync.store.full_scans import mirror_scan
from followersync.store.loss_evidence import keep_loss_evidence, people_at
from followersync.store.page_reads import (
    newest_runs,
    newest_snapshot,
    sync_settings,
    unconfirmed,
)
from followersync.store.past_lists import list_past
from followersync.store.person_history import history_of
from followersync.store.run_settings import (
    LockedSettings,
    load_run_start,
    lock_settings,
    save_run_result,
    save_snapshot,
)
from followersync.store.runs import FeedCounts, Increment, change_run, renew_lease, take_lease
from followersync.store.scan_pages import (
    absent_batch,
    count_absent,
    drop_pages,
    forget_seen,
    latest_absences,
    mark_unsure,
    moment,
    put_absences,
    put_pages,
    spans,
)
from followersync.store.series import daily_series, daily_totals, last_of_each_day

__all__ = [
    "EMPTY_BLOCK",
    "ERASABLE",
    "Block",
    "EndedInterval",
    "FeedCounts",
    "FeedEntry",
    "Increment",
    "ListQuery",
    "ListRow",
    "LockedSettings",
    "absent_batch",
    "add",
    "append",
    "change_run",
    "claim_due",
    "count_absent",
    "daily_series",
    "daily_totals",
    "drop_pages",
    "erase",
    "forget_seen",
    "history_of",
    "keep_loss_evidence",
    "last_of_each_day",
    "latest_absences",
    "list_followers",
    "list_head",
    "list_past",
    "load_block",
    "load_run_start",
    "load_stored",
    "lock_settings",
    "lose",
    "lost_before",
    "mark_unsure",
    "mirror_scan",
    "moment",
    "move",
    "newest_runs",
    "newest_snapshot",
    "people_at",
    "put_absences",
    "put_pages",
    "raise_head",
    "recount",
    "rename",
    "renew_lease",
    "save_run_result",
    "save_snapshot",
    "spans",
    "sync_settings",
    "take",
    "take_calls",
    "take_lease",
    "unconfirmed",
]
