"""The bulk reads and writes: the only raw SQL of this app, set by set, never row by row."""

from __future__ import annotations

from followersync.store.calls import take_calls
from followersync.store.evidence import (
    absent_batch,
    count_absent,
    doubt,
    drop_pages,
    forget_seen,
    moment,
    put_absences,
    put_pages,
    spans,
)
from followersync.store.history import held_of
from followersync.store.known import load_known, load_stretch
from followersync.store.listing import Listed, Listing, list_followers, list_head
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
from followersync.store.runs import hold
from followersync.store.series import daily_series
from followersync.store.upkeep import ERASABLE, claim_due, erase, recount

__all__ = [
    "ERASABLE",
    "Entry",
    "Listed",
    "Listing",
    "Written",
    "absent_batch",
    "add",
    "append",
    "claim_due",
    "count_absent",
    "daily_series",
    "doubt",
    "drop_pages",
    "erase",
    "forget_seen",
    "held_of",
    "hold",
    "list_followers",
    "list_head",
    "list_past",
    "load_known",
    "load_stretch",
    "lose",
    "lost_before",
    "moment",
    "move",
    "put_absences",
    "put_pages",
    "raise_head",
    "recount",
    "rename",
    "spans",
    "take_calls",
]
