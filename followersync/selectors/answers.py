"""Result types of the selectors: plain values, no models except runs and snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from followersync.models import SyncRun


@dataclass(frozen=True, slots=True)
class Overview:
    """An account's state in figures. All None or 0 before its first sync.

    `followers` includes the unconfirmed; `reported` is Instagram's own figure at the last sync,
    None unless the member allows showing it (`shows_count`); `expected` is that of the open run.
    `reads_list`, `shows_insights`: the member allows reading the list, Instagram's daily figures.
    `newest_runs`: the last few, newest first, with the open one. `complete`: the stored list is
    known to be whole. `waiting_until`: no call is made before then. `gap`: how many reported people
    Instagram's list does not show (deactivated people); may be negative, None while unknown.
    """

    followers: int | None
    reported: int | None
    unconfirmed: int
    unconfirmed_since: datetime | None
    complete: bool
    baseline_at: datetime | None
    last_synced_at: datetime | None
    next_sync_at: datetime | None
    running: SyncRun | None
    last_run: SyncRun | None
    interval_minutes: int
    failures: int
    waiting_until: datetime | None
    gap: int | None = None
    calls_left: int | None = None
    expected: int | None = None
    reads_list: bool = True
    shows_count: bool = True
    shows_insights: bool = False
    newest_runs: tuple[SyncRun, ...] = ()

    @property
    def syncs(self) -> bool:
        """Whether anything of the account may be read."""
        return self.reads_list or self.shows_count


@dataclass(frozen=True, slots=True)
class FollowerRow:
    """One follower. `instagram_id` and `since` are None where unknown.

    `first_seen_at` is when a sync first saw them (the first list: its time). `source` is "edge" or
    "archive". In a past list, `username` is the name at that time. `beyond`: unconfirmed, and may
    stand below the last whom Instagram shows.
    """

    key: int
    public_id: str
    instagram_id: str | None
    username: str
    since: datetime | None
    first_seen_at: datetime | None
    source: str
    unconfirmed_since: datetime | None
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """`next` and `previous` are opaque cursors; `position` is the feed's at the first page.

    `of_today`: the requested day is before the first look, so only today's followers who followed
    by then are listed; people who left in between are unknown, and the list is never `complete`.
    """

    rows: list[FollowerRow]
    next: str | None
    previous: str | None
    position: int
    epoch: str
    complete: bool
    of_today: bool = False


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One entry of the feed. `username` is empty for people who asked to be removed."""

    position: int
    kind: str
    at: datetime
    public_id: str
    username: str
    previous_username: str
    previous_public_id: str | None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """`next_after` is where to continue; without news it is `head` itself.

    Newest-first pages have in `next_before` where older ones begin.
    """

    rows: list[ChangeRow]
    next_after: int
    head: int
    epoch: str
    next_before: int | None = None


@dataclass(frozen=True, slots=True)
class CountPoint:
    """The counts of one look: of the list (None where none was read) and Instagram's own."""

    at: datetime
    followers: int | None
    reported: int | None


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """One UTC day with a sync: the last figures of that day, and the day's changes.

    `followers`: of the list; None where none was read.
    """

    at: datetime
    followers: int | None
    reported: int | None
    gained: int
    lost: int
    returned: int = 0
    renamed: int = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval. `valid_from` None: since before the first list; `valid_to` None: open."""

    valid_from: datetime | None
    valid_to: datetime | None
    since: datetime | None
    username: str


@dataclass(frozen=True, slots=True)
class FollowerHistory:
    """What is stored of one person in one account; `current` None: no follower now."""

    public_id: str
    username: str
    current: FollowerRow | None
    intervals: list[Interval]
    changes: list[ChangeRow]


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest with which a client verifies its copy. `key` and `value` are hex."""

    algorithm: str
    key: str
    count: int
    value: str
    position: int
    epoch: str
