"""Pages of the follower list at a past moment, with the names of then.

Newest first: people whose start is known, then the others (the first list) by key. Each is read in
the order of an index, so that a page costs the same whenever the moment was.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from followersync.store.current_pages import ListQuery, ListRow, fetch, values_of

# In cursors, in place of an unknown start.
UNDATED = -1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

CURRENT = (
    "SELECT f.key, f.username, f.since, f.first_seen_at AS began, f.source,"
    " NULL::timestamptz AS valid_to FROM followersync_follower f WHERE f.account_id = %(account)s"
)
PAST = (
    "SELECT p.key, p.username, p.since, p.valid_from AS began, p.source, p.valid_to"
    " FROM followersync_pastfollow p WHERE p.account_id = %(account)s AND p.valid_to > %(at)s"
)
# The name that the first rename after that moment replaced, before the interval ended.
NAME = (
    "coalesce((SELECT c.previous_username FROM followersync_followerchange c"
    " WHERE c.account_id = %(account)s AND c.key = u.key AND c.kind = 'renamed' AND c.at > %(at)s"
    " AND (u.valid_to IS NULL OR c.at <= u.valid_to) ORDER BY c.position LIMIT 1), u.username)"
)


def list_past(listing: ListQuery) -> list[ListRow]:
    """At most `limit` rows, nearest to `start` first (so reversed when `backward`)."""
    if listing.prefix or not _looked_by_then(listing):
        return _by_key(listing)
    found: list[ListRow] = []
    kinds = [False, True] if listing.backward else [True, False]
    start = listing.start
    if start is not None and (start[0] == UNDATED) is not (not kinds[0]):
        kinds = kinds[1:]
    for number, dated in enumerate(kinds):
        wanted = listing.limit - len(found)
        if wanted:
            begin = start if number == 0 else None
            found += _dated(listing, begin, wanted) if dated else _undated(listing, begin, wanted)
    return found


def _looked_by_then(listing: ListQuery) -> bool:
    """Before the first list only people are known whose own date is early enough."""
    at, baseline = listing.at, listing.baseline_at
    return at is not None and baseline is not None and at >= baseline


def _dated(listing: ListQuery, start: tuple[float | str, int] | None, limit: int) -> list[ListRow]:
    """People whose start is known, newest first."""
    comparison, direction = (">", "ASC") if listing.backward else ("<", "DESC")
    parts = []
    for part, began, key in (
        (CURRENT, "f.first_seen_at", "f.key"),
        (PAST, "p.valid_from", "p.key"),
    ):
        beyond = f" AND ({began}, {key}) {comparison} (%(began)s, %(key)s)" if start else ""
        parts.append(
            f"({part} AND {began} <= %(at)s{beyond}"
            f" ORDER BY {began} {direction}, {key} {direction} LIMIT %(limit)s)"
        )
    values = values_of(listing) | {"limit": limit}
    if start:
        values |= {"began": EPOCH + int(start[0]) * MICROSECOND, "key": start[1]}
    return fetch(
        "SELECT (extract(epoch FROM u.began) * 1000000)::bigint, u.key,"  # noqa: S608
        f" {NAME}, u.since, u.began, u.source, NULL::timestamptz"
        f" FROM (SELECT * FROM ({' UNION ALL '.join(parts)}) both_kinds"
        f"  ORDER BY began {direction}, key {direction} LIMIT %(limit)s) u",
        values,
    )


def _undated(
    listing: ListQuery, start: tuple[float | str, int] | None, limit: int
) -> list[ListRow]:
    """People of the first list, by key."""
    comparison, direction = ("<", "DESC") if listing.backward else (">", "ASC")
    parts = []
    for part, began, key in (
        (CURRENT, "f.first_seen_at", "f.key"),
        (PAST, "p.valid_from", "p.key"),
    ):
        beyond = f" AND {key} {comparison} %(key)s" if start else ""
        parts.append(
            f"({part} AND {began} IS NULL{beyond} ORDER BY {key} {direction} LIMIT %(limit)s)"
        )
    values = values_of(listing) | {"limit": limit, "key": start[1] if start else None}
    return fetch(
        f"SELECT {UNDATED}, u.key, {NAME}, u.since, u.began, u.source, NULL::timestamptz"  # noqa: S608
        f" FROM (SELECT * FROM ({' UNION ALL '.join(parts)}) both_kinds"
        f"  ORDER BY key {direction} LIMIT %(limit)s) u",
        values,
    )


def _by_key(listing: ListQuery) -> list[ListRow]:
    """Searched by the name of then, or by people's own dates."""
    comparison, direction = ("<", "DESC") if listing.backward else (">", "ASC")
    known = _looked_by_then(listing)
    parts = []
    for part, t, first in ((CURRENT, "f", "first_seen_at"), (PAST, "p", "valid_from")):
        began = (
            f"({t}.{first} IS NULL OR {t}.{first} <= %(at)s)" if known else f"{t}.since <= %(at)s"
        )
        beyond = f" AND {t}.key {comparison} %(key)s" if listing.start else ""
        window = "" if listing.prefix else f" ORDER BY {t}.key {direction} LIMIT %(limit)s"
        parts.append(f"({part} AND {began}{beyond}{window})")
    like = "WHERE username LIKE %(like)s" if listing.prefix else ""
    return fetch(
        "SELECT key, key, username, since, began, source, NULL::timestamptz FROM ("  # noqa: S608
        f"SELECT u.key, {NAME} AS username, u.since, u.began, u.source"
        f" FROM ({' UNION ALL '.join(parts)}) u) named {like}"
        f" ORDER BY key {direction} LIMIT %(limit)s",
        values_of(listing),
    )
