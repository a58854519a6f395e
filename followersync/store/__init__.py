"""The bulk reads and writes: the only raw SQL of this app, set by set, never row by row."""

from __future__ import annotations

from followersync.store.calls import take_calls
from followersync.store.evidence import (
    absent_batch,
    count_absent,
    doubt,
    drop_pages,
    forget_seen,
    latest_absences,
    moment,
    put_absences,
    put_pages,
    spans,
)
from followersync.store.history import held_of
from followersync.store.known import NOBODY, Stretch, load_known, load_stretch
from followersync.store.listing import Listed, Listing, list_followers, list_head
from followersync.store.loss_evidence import keep_loss_evidence, people_at
from followersync.store.past import list_past
from followersync.store.people import (
    Entry,
    Written,
    add,
    append,
    lose,
    lost_before,
    move,
    raise_head,
    rename,
)
from followersync.store.runs import Counted, More, change, hold, take
from followersync.store.scans import mirror_scan
from followersync.store.series import daily_series, last_of_each_day
from followersync.store.standing import (
    Locked,
    leave_settings,
    lock_settings,
    opening,
    put_snapshot,
)
from followersync.store.upkeep import ERASABLE, claim_due, erase, recount

__all__ = [
    "ERASABLE",
    "NOBODY",
    "Counted",
    "Entry",
    "Listed",
    "Listing",
    "Locked",
    "More",
    "Stretch",
    "Written",
    "absent_batch",
    "add",
    "append",
    "change",
    "claim_due",
    "count_absent",
    "daily_series",
    "doubt",
    "drop_pages",
    "erase",
    "forget_seen",
    "held_of",
    "hold",
    "keep_loss_evidence",
    "last_of_each_day",
    "latest_absences",
    "leave_settings",
    "list_followers",
    "list_head",
    "list_past",
    "load_known",
    "load_stretch",
    "lock_settings",
    "lose",
    "lost_before",
    "mirror_scan",
    "moment",
    "move",
    "opening",
    "people_at",
    "put_absences",
    "put_pages",
    "put_snapshot",
    "raise_head",
    "recount",
    "rename",
    "spans",
    "take",
    "take_calls",
]
