"""The first list of all: straight into its table, with nothing to compare it with.

In the order of names, so that two of three indexes grow at one place only, and in COPY's binary
form, which costs the server neither parsing nor a log entry for each row of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from struct import Struct

from django.db import connection

from followersync.models import Source
from followersync.store.people import FOLLOWER_COLUMNS

Write = Callable[[Sequence[int], Sequence[bytes], Sequence[bytes]], None]

# Every value stands behind its length, -1 for null; a row begins with the number of its columns.
_DATED = Struct(">hiqiqiqiiqihi?i").pack
_UNDATED = Struct(">hiqiqiqiiihi?i").pack
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
# PostgreSQL counts microseconds from the year 2000.
_YEAR_2000 = 946_684_800
_SOURCE = int(Source.ARCHIVE)


def draw_keys(people: int) -> Iterator[int]:
    """So many surrogates, in order. Others may draw at the same time: hence several ranges."""
    if not people:
        return iter(())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, key FROM (SELECT number, key, lag(key) OVER () AS before FROM"
            "  (SELECT number, nextval('followersync_surrogate') AS key"
            "   FROM generate_series(1, %s) number) drawn) d WHERE before IS DISTINCT FROM key - 1",
            [people],
        )
        starts = cursor.fetchall()
    ends = [number for number, _ in starts[1:]] + [people + 1]
    return chain.from_iterable(
        range(key, key + end - number) for (number, key), end in zip(starts, ends, strict=True)
    )


@contextmanager
def opened(account_id: int) -> Iterator[Write]:
    """Give out what writes followers: keys, names, and seconds in digits, b"" where unknown."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            f"COPY followersync_follower ({FOLLOWER_COLUMNS}) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.write(_HEADER)

        def write(keys: Sequence[int], names: Sequence[bytes], seconds: Sequence[bytes]) -> None:
            people = zip(keys, names, seconds, strict=True)
            copy.write(b"".join([_row(account_id, *each) for each in people]))

        yield write
        copy.write(_END)


def _row(account_id: int, key: int, name: bytes, digits: bytes) -> bytes:
    if not digits:
        head = _UNDATED(8, 8, account_id, 8, key, 8, 0, -1, -1, 2, _SOURCE, 1, False, len(name))
        return head + name
    second = int(digits)
    since = (second - _YEAR_2000) * 1_000_000
    return (
        _DATED(
            8, 8, account_id, 8, key, 8, second << 12, -1, 8, since, 2, _SOURCE, 1, False, len(name)
        )
        + name
    )
