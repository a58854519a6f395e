"""Load of the first list: straight into its table, with nothing to compare it with.

In the order of names, so that two of three indexes grow at one end only, and in COPY's binary form,
which costs the server neither parsing nor a log entry for each row.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from struct import Struct

from django.db import connection

from followersync.models import Source
from followersync.store.current_writes import FOLLOWER_COLUMNS

Write = Callable[[Sequence[int], Sequence[bytes], Sequence[bytes]], None]

# Every value follows its length, -1 for null; a row begins with the number of its columns.
_DATED = Struct(">hiqiqiqiiqihi?i").pack
_UNDATED = Struct(">hiqiqiqiiihi?i").pack
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
# PostgreSQL counts microseconds from the year 2000.
_YEAR_2000 = 946_684_800


def draw_keys(people: int) -> Iterator[int]:
    """The next `count` surrogates, in order; several ranges where others draw at the same time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(key), max(key) FROM (SELECT nextval('followersync_surrogate') AS key"
            " FROM generate_series(1, %s)) drawn",
            [people],
        )
        low, high = cursor.fetchone()
        if low is None or high - low + 1 == people:
            return iter(range(low, high + 1) if people else ())
        # Those are not used: there are enough of them, and one by one they take longer.
        cursor.execute(
            "SELECT nextval('followersync_surrogate') FROM generate_series(1, %s)", [people]
        )
        return iter(array("q", (key for (key,) in cursor)))


@contextmanager
def follower_writer(account_id: int) -> Iterator[Write]:
    """Yields a writer of followers: keys, names, and seconds in digits, b"" where unknown."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            f"COPY followersync_follower ({FOLLOWER_COLUMNS}) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.write(_HEADER)

        def write(keys: Sequence[int], names: Sequence[bytes], seconds: Sequence[bytes]) -> None:
            copy.write(_rows(account_id, keys, names, seconds))

        yield write
        copy.write(_END)


def _rows(
    account_id: int, keys: Sequence[int], names: Sequence[bytes], seconds: Sequence[bytes]
) -> bytes:
    known, unknown, source = _DATED, _UNDATED, int(Source.ARCHIVE)
    # fmt: off
    return b"".join([
        known(
            8, 8, account_id, 8, key, 8, (second := int(digits)) << 12, -1,
            8, (second - _YEAR_2000) * 1_000_000, 2, source, 1, False, len(name),
        ) + name
        if digits
        else unknown(
            8, 8, account_id, 8, key, 8, 0, -1, -1, 2, source, 1, False, len(name)
        ) + name
        for key, name, digits in zip(keys, names, seconds, strict=True)
    ])
    # fmt: on
