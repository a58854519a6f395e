"""Suppression: removes people who asked for it from every list, and keeps them out of new ones.

Rows are deleted, the feed keeps its gapless positions as tombstones without name or key, and its
epoch changes, so that clients with a copy list again, without the person.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import transaction

from accounts import clock, registry
from accounts.registry import Person
from accounts.services import suppression
from followersync import store
from followersync.domain import digest
from followersync.domain.values import StoredConnection, UnchangedPage
from followersync.models import SyncSettings
from followersync.services.sync.feed import settings_epoch
from followersync.store import suppression as suppress

Rows = Sequence[tuple[int, str]]


def register() -> None:
    """Register with accounts; called once, when the app is ready."""
    registry.register_person_eraser("follower lists", erase)
    registry.register_person_finder("follower lists", find)
    registry.register_people("follower lists", suppress.everybody)


def visible(account_id: int, rows: Rows, known: Mapping[int, StoredConnection]) -> Rows:
    """`rows` of a page without suppressed people; only new and renamed ones are checked.

    A known person who appears under a suppressed name was renamed: they are dropped too.
    """
    if isinstance(known, UnchangedPage):
        return rows
    asked = [row for row in rows if (stored := known.get(row[0])) is None or stored[0] != row[1]]
    if not asked:
        return rows
    hidden = suppression.suppressed((key for key, _ in asked), (name for _, name in asked))
    if not hidden:
        return rows
    dropped = {key for key, name in asked if key in hidden or name.lower() in hidden}
    renamed = sorted(dropped & known.keys())
    if renamed:
        remove(account_id, renamed)
    return [row for row in rows if row[0] not in dropped]


def erase(person: Person, limit: int) -> int:
    """Remove the person from at most `limit` lists; 0 when they are in none."""
    found = suppress.rows_of_person(person.instagram_id, person.username, limit)
    for account_id, pairs in groupby(sorted(found), key=itemgetter(0)):
        remove(account_id, [key for _account, key in pairs])
    return len(found)


def find(person: Person) -> Iterator[dict[str, Any]]:
    """Each list or past interval with the person, without naming the account."""
    for row in suppress.data_about_person(person.instagram_id, person.username):
        yield row._asdict()


@transaction.atomic
def remove(account_id: int, keys: Sequence[int]) -> None:
    """Remove people from one account: rows, intervals, feed, count and digest together."""
    settings = SyncSettings.objects.select_for_update().filter(pk=account_id).first()
    followed = suppress.drop(account_id, keys)
    suppress.tombstone(account_id, keys)
    if settings is None:
        return
    at = max(clock.now(), settings.last_change_at or settings_epoch())
    value = digest.combine(
        digest.from_hex(settings.digest),
        added=[],
        removed=followed,
        digest_key=bytes(settings.digest_key),
    )
    entries = [store.FeedEntry("removed", 0, "") for _person in followed]
    head = store.raise_head(account_id, len(entries), -len(followed), digest.to_hex(value), at)
    store.append(account_id, entries, at, head=head)
    SyncSettings.objects.filter(pk=account_id).update(epoch=uuid.uuid4())
