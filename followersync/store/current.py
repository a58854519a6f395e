"""Current followers by key, or a block of neighbours at once, for the people of a page."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise, starmap
from operator import gt, neg

from django.db import connection

from followersync.domain.values import StoredConnection, UnchangedPage
from followersync.models.follower import BLOCK_BITS
from followersync.store.literals import bigints

SEPARATOR = "\x1f"


@dataclass(eq=False)
class Block:
    """Neighbouring followers, column by column: `places` fall.

    A page that shows exactly them is compared as a whole, without a value for each person.
    """

    keys: Sequence[int]
    places: Sequence[int]
    names: list[str]
    sure: str

    def shown_by(self, rows: Sequence[tuple[int, str]], below: int) -> UnchangedPage | None:
        """The people next below `below`, if `rows` show exactly them.

        None otherwise, or where a person among them has no sure place.
        """
        start = bisect_right(self.places, -below, key=neg)
        end = start + len(rows)
        if end > len(self.places) or not rows or "0" in self.sure[start:end]:
            return None
        if self._rows[start:end] != rows or not self._falls:
            return None
        keys = self._keys[start:end]
        return UnchangedPage(keys, self.names[start:end], self.places[start:end])

    def reaches(self, below: int, count: int) -> bool:
        """Whether it contains `count` people below the place `below`."""
        return bisect_right(self.places, -below, key=neg) + count <= len(self.places)

    def people(self) -> dict[int, StoredConnection]:
        """Built in C: a loop over a million people would cost more than the query."""
        rows = zip(self.names, self.places, map("1".__eq__, self.sure), strict=True)
        return dict(
            zip(self._keys, map(partial(tuple.__new__, StoredConnection), rows), strict=True)
        )

    @cached_property
    def _keys(self) -> list[int]:
        return list(self.keys)

    @cached_property
    def _rows(self) -> list[tuple[int, str]]:
        return list(zip(self._keys, self.names, strict=True))

    @cached_property
    def _falls(self) -> bool:
        """Two people may have one place; then their order means nothing."""
        return all(starmap(gt, pairwise(self.places)))


EMPTY_BLOCK = Block((), (), [], "")


def load_stored(account_id: int, keys: Sequence[int]) -> dict[int, StoredConnection]:
    """Those of `keys` who follow now."""
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, username, place, sure FROM followersync_follower"
            " WHERE account_id = %s AND key = ANY(%s::bigint[])",
            [account_id, bigints(keys)],
        )
        return {row[0]: StoredConnection(*row[1:]) for row in cursor.fetchall()}


def load_block(account_id: int, below: int, limit: int) -> Block:
    """The `limit` followers next below the place `below`, in one row.

    Some may be left out; a person who is not among them may follow nevertheless.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(int8send(key), ''), string_agg(int8send(place), ''),"  # noqa: S608
            " string_agg(CASE WHEN sure THEN '1' ELSE '0' END, ''),"
            f" string_agg(username, '{SEPARATOR}')"
            " FROM (SELECT key, place, sure, username FROM followersync_follower"
            "  WHERE account_id = %(account)s"
            f"  AND place >> {BLOCK_BITS} <= %(below)s::bigint >> {BLOCK_BITS}"
            "  AND place < %(below)s"
            f"  ORDER BY place >> {BLOCK_BITS} DESC, place DESC LIMIT %(limit)s) f",
            {"account": account_id, "below": below, "limit": limit},
        )
        keys, places, sure, names = cursor.fetchone()
    if keys is None:
        return EMPTY_BLOCK
    block = Block(_numbers(keys), _numbers(places), names.split(SEPARATOR), sure)
    # No name on Instagram contains the separator. If one does, people are loaded by key.
    return block if len(block.names) == len(block.places) else EMPTY_BLOCK


def _numbers(sent: bytes) -> array[int]:
    numbers = array("q")
    numbers.frombytes(sent)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
