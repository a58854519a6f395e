"""Pages of a follower list and their cursors."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.envelopes import refusal
from accounts.instagram.sandbox.faults import ActiveFaults
from accounts.instagram.sandbox.messages import Response
from accounts.instagram.sandbox.showing import RANDOM, Showing

#: Kinds of cursors beside the names of orders: by a row's place, by a count of rows.
KEY: Final = "key"
OFFSET: Final = "offset"
#: Suffix of a kind: this page was sent before, and is not sent a third time.
AGAIN: Final = "+"
MOST_OVERLAP: Final = 10
SALTS: Final = 1 << 32


@dataclass(frozen=True)
class Page:
    """Rows as JSON with a comma after each, and the cursors."""

    body: bytes
    before: str
    after: str | None


@dataclass(frozen=True)
class Cursor:
    """`numbers`: a key or an offset; of a random order its salt, its size and a place in it."""

    kind: str = ""
    numbers: tuple[int, ...] = ()
    again: bool = False

    def __str__(self) -> str:
        again = AGAIN if self.again else ""
        text = f"{self.kind}{again}:{'.'.join(map(str, self.numbers))}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_page(
    account: Account, trouble: ActiveFaults, *, limit: int, after: str, fault: str, now: int
) -> Page | Response:
    """`after`: "" for the first page. `fault`: one that a script sets for this answer.

    The cursor is the place of the last row shown, whatever happens since; with `moving_cursor` it
    is a count of rows, as of a list that is sliced by offset.
    """
    cursor = _decoded(after) if after else Cursor()
    if cursor is None or (after and trouble.strikes("cursor_refused")):
        return _refused()
    if not after:
        trouble.begin_scan()
    if fault == "cut_list":
        trouble.cut(scans=1)
    limit = min(limit, trouble.value("max_page_rows", int) or limit)
    showing = Showing(account, trouble, now)
    kind = showing.order or KEY
    if not after:
        moving = fault == "moving_cursor" or trouble.strikes("moving_cursor")
        cursor = Cursor(OFFSET if moving and kind != RANDOM else kind)
    elif cursor.kind not in (kind, OFFSET) or (cursor.kind == OFFSET and kind == RANDOM):
        # A cursor of another order: that list no longer exists.
        return _refused()
    if kind == RANDOM:
        return _scattered_page(showing, trouble, cursor, limit)
    return _page(showing, trouble, cursor, limit)


def _page(showing: Showing, trouble: ActiveFaults, cursor: Cursor, limit: int) -> Page:
    start: int | None = cursor.numbers[0] if cursor.numbers and cursor.numbers[0] else None
    if cursor.kind == OFFSET and start is not None:
        first = showing.key_at(start)
        start = 0 if first is None else first + 1
    rows = showing.slice(start, limit)
    before = str(Cursor(showing.order or KEY, (rows.newest,))) if rows.count else ""
    if trouble.strikes("cursor_repeats") and not cursor.again and rows.count:
        return Page(rows.body, before, str(Cursor(cursor.kind, cursor.numbers or (0,), True)))
    if not rows.more:
        return Page(rows.body, before, None)
    if cursor.kind == OFFSET:
        given = cursor.numbers[0] if cursor.numbers else 0
        return Page(rows.body, before, str(Cursor(OFFSET, (given + limit,))))
    last: int | None = rows.oldest
    if trouble.strikes("cursor_skips"):
        skipped = showing.slice(last, limit)
        last = skipped.oldest if skipped.more else None
    elif rows.count > 1 and trouble.strikes("overlapping_pages"):
        overlap = trouble.rng.randint(1, min(rows.count - 1, MOST_OVERLAP))
        last = showing.slice(start, rows.count - overlap).oldest
    return Page(rows.body, before, None if last is None else str(Cursor(cursor.kind, (last,))))


def _scattered_page(showing: Showing, trouble: ActiveFaults, cursor: Cursor, limit: int) -> Page:
    salt, size, begin = cursor.numbers or (trouble.rng.randrange(SALTS), None, 0)
    rows, size, following = showing.scattered(salt, size, begin, limit)
    before = str(Cursor(RANDOM, (salt, size, begin)))
    if trouble.strikes("cursor_repeats") and not cursor.again:
        return Page(rows.body, before, str(Cursor(RANDOM, (salt, size, begin), True)))
    if trouble.strikes("cursor_skips"):
        following += limit
    elif rows.count > 1 and trouble.strikes("overlapping_pages"):
        following -= trouble.rng.randint(1, min(rows.count - 1, MOST_OVERLAP))
    after = str(Cursor(RANDOM, (salt, size, following))) if following < size else None
    return Page(rows.body, before, after if rows.more else None)


def _refused() -> Response:
    return refusal("100_parameter", "(#100) The after cursor specified is not valid")


def _decoded(text: str) -> Cursor | None:
    """None for what is no cursor of ours."""
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except ValueError:
        return None
    kind, _colon, numbers = plain.partition(":")
    parts = numbers.split(".")
    named = kind.removesuffix(AGAIN)
    if len(parts) != (3 if named == RANDOM else 1) or not all(part.isdigit() for part in parts):
        return None
    return Cursor(named, tuple(map(int, parts)), kind.endswith(AGAIN))
