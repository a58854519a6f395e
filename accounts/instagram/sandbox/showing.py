"""One answer's view of an account's list under faults: its people, order and start.

If no fault concerns these, the list's cached blocks are sent. Otherwise rows are examined one by
one from the cursor down, so that a page costs what it shows and what is hidden within it, however
long the list is. (Two faults together may cost more: a page by count of rows (`moving_cursor`) in
such a list, or the newest few (`cap_rows`) of a million in another order.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from typing import Final

from accounts.instagram.sandbox.account import DAY, HOUR, Account
from accounts.instagram.sandbox.arrangement import Arrangement, Order
from accounts.instagram.sandbox.faults import ActiveFaults
from accounts.instagram.sandbox.follower_list import Slice
from accounts.instagram.sandbox.mixing import WORD, Shuffle, mix

RANDOM: Final = "random_each_time"
#: A person, their key in the order shown, and when they followed.
Row = tuple[int, int, int]


class Showing:
    """Made for each answer, since each may come from another server (`stale`)."""

    def __init__(self, account: Account, trouble: ActiveFaults, now: int) -> None:
        self._account = account
        self._followers = account.followers
        self._trouble = trouble
        self.order = trouble.value("order", str) or ""
        self._floor = self._lowest()
        self._hole = self._hole_at(now)
        self._missing, self._salt = self._missing_at(now)
        #: What differs at the answering server: when people followed, and their names.
        self._was: dict[int, int | None] = {}
        self._people: dict[int, tuple[str, bool]] = {}
        stale = trouble.value("stale", dict)
        if stale and trouble.rng.random() < stale["share"]:
            moment = now - int(stale["hours"] * HOUR)
            self._was = account.past.at(moment)
            self._people = account.people.past.at(moment)
        if self.order and self.order != RANDOM:
            self._arrange(now)

    @property
    def plain(self) -> bool:
        """Ordered by time of following, and only the oldest are hidden."""
        other = self._hole or self._missing or self._was or self._people
        return not (self.order or other)

    def slice(self, start: int | None, limit: int) -> Slice:
        """Up to `limit` rows below `start` (a key of the order shown; None: from the top)."""
        if self.plain:
            return self._followers.before(start, limit, self._floor)
        rows = list(islice(self._visible(self._rows(start)), limit + 1))
        return self._made(rows[:limit], more=len(rows) > limit)

    def key_at(self, offset: int) -> int | None:
        """The key of the row `offset` rows from the top; None past the end."""
        if self.plain:
            return self._followers.key_at(offset)
        row = next(islice(self._visible(self._rows(None)), offset, None), None)
        return None if row is None else row[1]

    def scattered(
        self, salt: int, size: int | None, begin: int, limit: int
    ) -> tuple[Slice, int, int]:
        """A page of the random order `salt`: its rows, the order's size, where the next begins.

        The order is drawn at a scan's first page (`size` None); later followers are not in it.
        """
        extra = self._extra()
        lowest = self._followers.up_to(self._floor) if self._floor else 0
        present = self._followers.length - lowest
        size = present + len(extra) if size is None else size
        order, places = Shuffle(size, salt), self._followers.places()
        rows: list[Row] = []
        while begin < size and len(rows) < limit:
            place = order[begin]
            begin += 1
            if place < present:
                number, key = self._followers.at_place(places, lowest + place)
                found = [] if number in self._was else [(number, key, key)]
            else:
                found = extra[place - present : place - present + 1]
            rows += self._visible(found)
        return self._made(rows, more=begin < size), size, begin

    # --- People ---------------------------------------------------------------------------------

    def _lowest(self) -> int:
        """The key at and below which nobody is shown: a cap, or a cut of the list's end."""
        cap = self._trouble.value("cap_rows", int)
        capped = self._followers.key_at(cap) if cap else None
        cut = self._account.cut
        return max(capped or 0, cut[0] if cut else 0)

    def _hole_at(self, now: int) -> tuple[int, int] | None:
        """(newest, oldest) key of the missing block, while it lasts."""
        setting, wanted = (
            self._trouble.setting("omit_block"),
            self._trouble.value("omit_block", dict),
        )
        if setting is None or not wanted or now >= setting.since + wanted["hours"] * HOUR:
            return None
        if self._account.hole is None or self._account.hole[0] != setting.draw:
            shown, rows = self._account.shown, int(wanted["rows"])
            room = max(shown - rows, 0) + 1
            first = self._trouble.salt("omit_block", anew=True) % room
            newest = self._followers.key_at(first)
            if newest is None:
                return None
            oldest = self._followers.key_at(min(first + rows, shown) - 1) or newest
            self._account.hole = (setting.draw, newest, oldest)
        return self._account.hole[1:]

    def _missing_at(self, now: int) -> tuple[float, int]:
        """The share of people who are missing for hours, and the salt that selects them."""
        setting = self._trouble.setting("omit_same")
        wanted = self._trouble.value("omit_same", dict)
        if setting is None or not wanted or now >= setting.since + wanted["hours"] * HOUR:
            return 0.0, 0
        return wanted["share"], self._trouble.salt("omit_same", anew=True)

    def _visible(self, rows: Iterable[Row]) -> Iterator[Row]:
        inactive, people = self._account.people.inactive, self._people
        bound, salt = int(self._missing * WORD), self._salt
        newest, oldest = self._hole or (-1, 0)
        for row in rows:
            number, _key, followed = row
            away = people[number][1] if number in people else number in inactive
            hidden = followed <= self._floor or oldest <= followed <= newest
            if not (away or hidden or (bound and mix(number, salt) < bound)):
                yield row

    # --- Order ----------------------------------------------------------------------------------

    def _arrange(self, now: int) -> None:
        """Prepare the list in the order requested; built when that order is new."""
        day = now // DAY if self.order == "relevance" else 0
        wanted = Order(self.order, self._trouble.salt("order", anew=False), day)
        arranged = self._followers.arranged
        if arranged is None or arranged.order != wanted:
            self._followers.arranged = Arrangement(wanted, self._followers)

    def _rows(self, start: int | None) -> Iterator[Row]:
        """Everybody below `start`, in the answering server's state."""
        arranged = None if not self.order else self._followers.arranged
        own = self._by_time(start) if arranged is None else self._by_order(arranged, start)
        if not self._was:
            return own
        others = (row for row in own if row[0] not in self._was)
        extra = [row for row in self._extra() if start is None or row[1] < start]
        return merge(others, extra, key=lambda row: -row[1])

    def _by_time(self, start: int | None) -> Iterator[Row]:
        newest, oldest = self._hole or (-1, 0)
        for number, key in self._followers.below(start):
            if key <= self._floor:
                return
            if oldest <= key <= newest:
                # A long hole is skipped at once, not row by row.
                yield from self._by_time(oldest)
                return
            yield number, key, key

    def _by_order(self, arranged: Arrangement, start: int | None) -> Iterator[Row]:
        for number, key in arranged.below(start):
            yield number, key, self._followers.key_of(number) or 0

    def _extra(self) -> list[Row]:
        """People with another place, or only present, at the answering server, from the top."""
        arranged = self._followers.arranged if self.order and self.order != RANDOM else None
        rows = [
            (number, arranged.order.key(number, key) if arranged else key, key)
            for number, key in self._was.items()
            if key is not None
        ]
        return sorted(rows, key=lambda row: -row[1])

    def _made(self, rows: list[Row], *, more: bool) -> Slice:
        people = self._account.people
        names = {number: name for number, (name, _away) in self._people.items()}
        written = people.rows((number for number, _key, _followed in rows), names)
        newest, oldest = (rows[0][1], rows[-1][1]) if rows else (0, 0)
        return Slice(len(rows), newest, oldest, "".join(written).encode(), more)


def stated_count(account: Account, trouble: ActiveFaults, now: int) -> int:
    """`followers_count` as `/me` states it under the faults of counts."""
    hours = trouble.value("count_frozen_hours", float)
    setting = trouble.setting("count_frozen_hours")
    if not hours or setting is None:
        return _rounded(_counted(account, trouble), trouble)
    frozen = account.frozen
    if frozen is None or frozen[0] != setting.draw or now >= frozen[2]:
        frozen = (setting.draw, _counted(account, trouble), now + int(hours * HOUR))
        account.frozen = frozen
    return _rounded(frozen[1], trouble)


def _counted(account: Account, trouble: ActiveFaults) -> int:
    setting = trouble.setting("count_with_deactivated")
    without = setting is not None and setting.values["count_with_deactivated"] is False
    return max(account.followers_count - (account.followers.hidden() if without else 0), 0)


def _rounded(count: int, trouble: ActiveFaults) -> int:
    if not trouble.strikes("count_rounded"):
        return count
    unit = trouble.value("count_rounded", int) or 1
    if unit < 2:
        unit = max(int(f"1{'0' * (len(str(count)) - 3)}"), 10)
    return (count + unit // 2) // unit * unit
