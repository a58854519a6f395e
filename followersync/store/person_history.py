"""History of one person in one account, in one statement, to save round trips."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from followersync.models import FollowerChange, PastFollow
from followersync.store.current_pages import ListRow

_HELD = """
SELECT 'now', f.username, f.since, f.first_seen_at, a.unconfirmed_since, s.baseline_at, f.source,
    f.place, NULL::bigint, NULL, a.beyond
FROM followersync_follower f
LEFT JOIN followersync_absence a ON a.account_id = f.account_id AND a.key = f.key
LEFT JOIN followersync_syncsettings s ON s.account_id = f.account_id
WHERE f.account_id = %(account)s AND f.key = %(key)s
UNION ALL
SELECT 'past', username, since, valid_from, valid_to, NULL, source, 0, NULL, NULL, NULL
FROM followersync_pastfollow WHERE account_id = %(account)s AND key = %(key)s
UNION ALL
SELECT kind, username, at, NULL, NULL, NULL, 0, position, previous_key, previous_username,
    NULL
FROM followersync_followerchange WHERE account_id = %(account)s AND key = %(key)s
"""


class _Row(NamedTuple):
    """`part`: now, past or a kind of change, which decides the null columns."""

    part: str
    username: str
    at: Any
    began: datetime | None
    until: Any
    baseline_at: datetime | None
    source: int
    number: int
    previous_key: int | None
    previous_username: str | None
    beyond: bool | None


@dataclass(frozen=True, slots=True)
class PersonHistory:
    """`past` and `changes`: oldest first; not saved and not to be saved."""

    now: ListRow | None
    baseline_at: datetime | None
    past: list[PastFollow]
    changes: list[FollowerChange]


def history_of(account_id: int, key: int) -> PersonHistory:
    with connection.cursor() as cursor:
        cursor.execute(_HELD, {"account": account_id, "key": key})
        rows = [_Row(*row) for row in cursor.fetchall()]
    now = next((row for row in rows if row.part == "now"), None)
    past = [_past(key, row) for row in rows if row.part == "past"]
    changes = [_change(key, row) for row in rows if row.part not in ("now", "past")]
    return PersonHistory(
        now=_listed(key, now) if now else None,
        baseline_at=now.baseline_at if now else None,
        past=sorted(past, key=lambda each: each.valid_to),
        changes=sorted(changes, key=lambda each: each.position),
    )


def _listed(key: int, row: _Row) -> ListRow:
    return ListRow(
        row.number, key, row.username, row.at, row.began, row.source, row.until, row.beyond
    )


def _past(key: int, row: _Row) -> PastFollow:
    return PastFollow(
        key=key, username=row.username, since=row.at, valid_from=row.began, valid_to=row.until
    )


def _change(key: int, row: _Row) -> FollowerChange:
    return FollowerChange(
        key=key,
        kind=row.part,
        username=row.username,
        at=row.at,
        position=row.number,
        previous_key=row.previous_key,
        previous_username=row.previous_username or "",
    )
