"""Who of a page follows already: a stretch of the list at once, or people one by one."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from functools import partial

from django.db import connection

from followersync.domain.values import Known
from followersync.models.follower import STRETCH
from followersync.store.literals import bigints

SEPARATOR = "\x1f"


def load_known(account_id: int, keys: Sequence[int]) -> dict[int, Known]:
    """Those of `keys` who follow now."""
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, username, place, sure FROM followersync_follower"
            " WHERE account_id = %s AND key = ANY(%s::bigint[])",
            [account_id, bigints(keys)],
        )
        return {row[0]: Known(*row[1:]) for row in cursor.fetchall()}


def load_stretch(account_id: int, below: int, limit: int) -> dict[int, Known]:
    """The `limit` followers who stand next below the place `below`: all of them in one row.

    Some may be left out; whoever is not among them may follow nevertheless.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(int8send(key) || int8send(place), ''),"  # noqa: S608
            " string_agg(CASE WHEN sure THEN '1' ELSE '0' END, ''),"
            f" string_agg(username, '{SEPARATOR}')"
            " FROM (SELECT key, place, sure, username FROM followersync_follower"
            "  WHERE account_id = %(account)s"
            f"  AND place >> {STRETCH} <= %(below)s::bigint >> {STRETCH} AND place < %(below)s"
            f"  ORDER BY place >> {STRETCH} DESC, place DESC LIMIT %(limit)s) f",
            {"account": account_id, "below": below, "limit": limit},
        )
        numbers, sure, names = cursor.fetchone()
    if numbers is None:
        return {}
    return _paired(numbers, sure, names.split(SEPARATOR))


def _paired(numbers: bytes, sure: str, names: list[str]) -> dict[int, Known]:
    """Made by C alone: a loop over a million people would cost more than the query."""
    pairs = array("q")
    pairs.frombytes(numbers)
    if sys.byteorder == "little":
        pairs.byteswap()
    keys, places = pairs[::2], pairs[1::2]
    if len(names) != len(keys):
        # No name on Instagram holds the separator. One that does has its people loaded by key.
        return {}
    rows = zip(names, places, map("1".__eq__, sure), strict=True)
    return dict(zip(keys, map(partial(tuple.__new__, Known), rows), strict=True))
