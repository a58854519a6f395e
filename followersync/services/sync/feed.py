"""Change feed: writes changes to an account's list together with their feed entries.

The caller opens the transaction. The account's settings row, with the head, the count and the
digest, is locked first, so writers of one account wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from accounts import clock
from followersync import store
from followersync.domain import digest
from followersync.domain.values import Added, AddedKind, Moved, Renamed
from followersync.models import SyncSettings
from followersync.services import identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from followersync.store import FeedEntry


@dataclass(slots=True)
class Changes:
    """The changes of one or several pages, or of a judgement, in order."""

    added: list[Added] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)
    moved: dict[int, Moved] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.renamed or self.moved or self.lost)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each kind entered the feed."""

    gained: int = 0
    found: int = 0
    lost: int = 0
    returned: int = 0
    renamed: int = 0


def apply(account_id: int, changes: Changes) -> Counts:
    """Write `changes` at the database's time, never before the time of an earlier change."""
    if not changes:
        return Counts()
    settings = SyncSettings.objects.select_for_update().get(pk=account_id)
    at = max(clock.now(), settings.last_change_at or settings_epoch())
    lost = store.lose(account_id, changes.lost, at)
    entries = [store.FeedEntry("lost", each.key, each.username) for each in lost]
    identified = identity.identify(account_id, changes, at)
    entries += identified.entries
    newcomers = [each for each in changes.added if each.key not in identified.keys]
    entries += store.add(account_id, newcomers, at)
    entries += store.rename(account_id, changes.renamed)
    store.move(account_id, list(changes.moved.values()))
    gone = [*((each.key, each.username) for each in lost), *identified.gone]
    value = _digest(settings, changes, gone)
    grown = len(changes.added) - len(gone)
    is_baseline = any(each.kind is AddedKind.BASELINE for each in changes.added)
    head = store.raise_head(
        account_id, len(entries), grown, digest.to_hex(value), at, is_baseline=is_baseline
    )
    store.append(account_id, entries, at, head=head)
    return _feed_counts(entries)


def settings_epoch() -> datetime:
    """A time before every change."""
    return store.moment(0)


def _digest(settings: SyncSettings, changes: Changes, gone: Sequence[tuple[int, str]]) -> int:
    """The digest afterwards: a replaced name is removed, the new one added."""
    return digest.combine(
        digest.from_hex(settings.digest),
        added=[
            *((each.key, each.username) for each in changes.added),
            *((each.key, each.username) for each in changes.renamed),
        ],
        removed=[
            *gone,
            *((each.key, each.previous) for each in changes.renamed),
        ],
        digest_key=bytes(settings.digest_key),
    )


def _feed_counts(entries: Iterable[FeedEntry]) -> Counts:
    counts = {"gained": 0, "found": 0, "lost": 0, "returned": 0, "renamed": 0}
    for entry in entries:
        if entry.kind in counts:
            counts[entry.kind] += 1
    return Counts(**counts)
