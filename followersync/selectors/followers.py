"""Followers: the list now, the list at a past time, and one person's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.errors import NotFound
from followersync import store
from followersync.models import Source, SyncSettings, public_id
from followersync.selectors.answers import FollowerHistory, FollowerPage, FollowerRow, Interval
from followersync.selectors.changes import change_row
from followersync.selectors.cursor import Cursor, decode, encode, refused

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import LinkedAccount

MAXIMUM_LIMIT = 1000
SOURCES = dict(Source.choices)


def followers_page(
    account: LinkedAccount,
    *,
    q: str = "",
    at: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> FollowerPage:
    """One page, newest first; with `q` (a username prefix) by username.

    `at`: the list at that time; people of the first list, whose start is unknown, come last.

    Raises InvalidInput for a foreign cursor.
    """
    settings = store.list_head(account.pk) or SyncSettings(account=account)
    prefix = q.strip().lstrip("@").lower()
    start = decode(cursor) if cursor else None
    if start is not None and isinstance(start.order, str) is not (bool(prefix) and at is None):
        raise refused()
    size = max(1, min(limit, MAXIMUM_LIMIT))
    listing = store.ListQuery(
        account_id=account.pk,
        prefix=prefix,
        at=at,
        baseline_at=settings.baseline_at,
        start=None if start is None else (start.order, start.key),
        backward=bool(start and start.backward),
        limit=size + 1,
    )
    found = store.list_followers(listing) if at is None else store.list_past(listing)
    position = start.position if start else settings.head
    rows, after, before = _with_cursors(found, start, size, position)
    of_today = at is not None and (settings.baseline_at is None or at < settings.baseline_at)
    return FollowerPage(
        rows=[_row(raw, settings.baseline_at) for raw in rows],
        next=after,
        previous=before,
        position=position,
        epoch=str(settings.epoch),
        complete=settings.complete and not of_today,
        of_today=of_today,
    )


def _with_cursors(
    found: list[store.ListRow], start: Cursor | None, size: int, position: int
) -> tuple[list[store.ListRow], str | None, str | None]:
    """Drop the extra row that shows whether there is more, and make the cursors."""
    more = len(found) > size
    rows = found[:size]
    backward = start is not None and start.backward
    if backward:
        rows.reverse()
    if not rows:
        return rows, None, None
    last, first = rows[-1], rows[0]
    after = encode(Cursor(last.order, last.key, False, position)) if more or backward else None
    has_before = more if backward else start is not None
    before = encode(Cursor(first.order, first.key, True, position)) if has_before else None
    return rows, after, before


def _row(raw: store.ListRow, baseline_at: datetime | None) -> FollowerRow:
    return FollowerRow(
        key=raw.key,
        public_id=public_id(raw.key),
        instagram_id=str(raw.key) if raw.key >= 0 else None,
        username=raw.username,
        since=raw.since,
        first_seen_at=raw.first_seen_at or baseline_at,
        source=SOURCES[raw.source],
        unconfirmed_since=raw.unconfirmed_since,
        beyond=bool(raw.beyond),
    )


def key_of(text: str) -> int | None:
    """The key of a public id; None for an invalid one."""
    negative = text.startswith("u_")
    digits = text[2:] if negative else text
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    return -int(digits) if negative else int(digits)


def follower_history(account: LinkedAccount, public_id: str) -> FollowerHistory:
    """What is stored of one person. Raises NotFound."""
    key = key_of(public_id)
    if key is None:
        raise NotFound
    history = store.history_of(account.pk, key)
    now, past, changes = history.now, history.past, history.changes
    if now is None and not past and not changes:
        raise NotFound
    intervals = [Interval(p.valid_from, p.valid_to, p.since, p.username) for p in past]
    current = None
    if now is not None:
        current = _row(now, history.baseline_at)
        intervals.append(Interval(now.first_seen_at, None, now.since, now.username))
    name = now.username if now else past[-1].username if past else changes[-1].username
    return FollowerHistory(public_id, name, current, intervals, [change_row(c) for c in changes])
