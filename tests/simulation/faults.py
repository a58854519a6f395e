"""What lists of followers are reported to withhold, to show late and to put in another order.

The sources are public issue threads (`owner/project#number`).
"""

from __future__ import annotations

from bisect import bisect_left
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.fault import Fault, Span
from tests.simulation.population import DAY, HOUR

if TYPE_CHECKING:
    from tests.simulation.instagram import Instagram


# -- what is withheld ----------------------------------------------------------------------------


class Cap(Fault):
    """Only the newest N are shown (mgp25/Instagram-API#1103: 2,000, #372: 1,000, #1721: 7,000;
    dilame/instagram-private-api#1042: the 105 oldest of 7,500)."""

    rows = 0

    def begin(self, to: Instagram) -> None:
        size = len(to.world.ranks)
        share = self.rng.choice((1.0, 0.95, self.rng.uniform(0.3, 0.95)))
        self.rows = max(1, int(size * share))

    def floor(self, to: Instagram, ranks: list[int]) -> int:
        return max(0, len(ranks) - self.rows)


class Omits(Fault):
    """Each load leaves out each row with a probability, others each time
    (russdreamer/instagram-followers-statistics#14, ramtinak/InstagramApiSharp#516)."""

    def __init__(self, rng: Random, first: Span, lasts: Span, pauses: Span, share: float) -> None:
        super().__init__(rng, first, lasts, pauses)
        self.share = share

    def leaves_out(self, rows: int) -> int:
        return max(1, round(rows * self.share))

    def answer(
        self, to: Instagram, ranks: list[int], following: str | None
    ) -> tuple[list[int], str | None]:
        random, share = self.rng.random, self.share
        return [rank for rank in ranks if random() >= share], following


class Withholds(Fault):
    """The same rows are left out for days (sbertix/Swiftagram#161: 194 of 214 each time;
    ping/instagram_private_api#335)."""

    def begin(self, to: Instagram) -> None:
        ranks = to.world.ranks
        few = min(len(ranks), max(1, round(len(ranks) * self.rng.choice((0.002, 0.01, 0.03)))))
        self.withheld = set(self.rng.sample(ranks, few))
        self.filled = self.rng.random() < 0.5


class Hole(Fault):
    """A stretch of rows is left out for days (InstaPy/InstaPy#2420: 1,292 of 1,307;
    davidarroyo1234/InstagramUnfollowers#333: 1,600 of 2,600)."""

    def begin(self, to: Instagram) -> None:
        ranks = to.world.ranks
        rows = min(len(ranks) // 2, self.rng.randint(5, 50))
        start = self.rng.randint(0, len(ranks) - rows)
        self.withheld = set(ranks[start : start + rows])
        self.filled = self.rng.random() < 0.5


# -- what is out of date -------------------------------------------------------------------------


class StaleBlock(Fault):
    """A stretch of the list is shown as it was days ago (instaloader/instaloader#1267: cached
    values that differ by client; tomballgithub in misiektoja/instagram_monitor#17)."""

    low = high = when = 0

    def begin(self, to: Instagram) -> None:
        ranks = to.world.ranks
        self.when = to.world.now - self._days((1, 3))
        rows = min(len(ranks), self.rng.randint(10, 200))
        start = self.rng.randint(0, len(ranks) - rows)
        self.low = ranks[start] if rows else 0
        self.high = ranks[start + rows - 1] if rows else 0

    def listed(self, to: Instagram, ranks: list[int]) -> list[int]:
        then = to.then(self.when)
        return [
            *ranks[: bisect_left(ranks, self.low)],
            *then[bisect_left(then, self.low) : bisect_left(then, self.high + 1)],
            *ranks[bisect_left(ranks, self.high + 1) :],
        ]


class Replica(Fault):
    """Answers come, at random, from a replica that is hours to days behind, page by page or for a
    whole reading, and its count too at times (instaloader/instaloader#1267;
    divinevideo/divine-mobile#8266: an older contact list undoes a newer)."""

    def __init__(
        self, rng: Random, first: Span, lasts: Span, pauses: Span, *, by_page: bool
    ) -> None:
        super().__init__(rng, first, lasts, pauses)
        self.by_page = by_page
        self.behind = self.when = 0
        self.stands = self.counts = False
        self.share, self._scan, self._stale = 0.5, -1, False

    def begin(self, to: Instagram) -> None:
        self.behind = round(HOUR * 72 ** self.rng.random())
        self.when = to.world.now - self.behind
        self.stands, self.counts = self.rng.random() < 0.3, self.rng.random() < 0.5
        self.share = self.rng.choice((0.2, 0.5, 1.0))

    def ask(self, to: Instagram, after: str | None) -> None:
        if self.by_page or self._scan != to.scan:
            self._scan, self._stale = to.scan, self.rng.random() < self.share

    def stale_at(self, to: Instagram) -> int | None:
        if not self._stale:
            return None
        return self.when if self.stands else to.world.now - self.behind

    def count(self, to: Instagram, value: int | None) -> int | None:
        when = self.stale_at(to)
        if value is None or when is None or not self.counts:
            return value
        return value + to.world.count_at(when) - to.world.count_at(to.world.now)


# -- order ---------------------------------------------------------------------------------------


class Order(Fault):
    """The list is not newest first: by relevance, reversed, or random
    (austinhuang0131/barinsta#1398: no longer chronological; subzeroid/instagrapi#2372 and #2512:
    earliest first; dilame/instagram-private-api#1290: random)."""

    orders = True

    def __init__(self, rng: Random, first: Span, lasts: Span, pauses: Span, how: str) -> None:
        super().__init__(rng, first, lasts, pauses)
        self.how = how
        self._key: object = None
        self._order: list[int] = []
        self._seed = 0
        self.by_page = self.rotates = self.also_in_place = False
        self.favours = 0.1

    def begin(self, to: Instagram) -> None:
        self._seed = self.rng.randrange(1 << 30)
        self.by_page = self.rng.random() < 0.3
        self.favours = self.rng.choice((0.02, 0.1, 0.3))
        self.rotates, self.also_in_place = self.rng.random() < 0.5, self.rng.random() < 0.3

    def leaves_out(self, rows: int) -> int:
        return int(self.how == "random each time")

    def order(self, to: Instagram, ranks: list[int]) -> list[int]:
        varies = 0
        if self.how == "random each time":
            varies = to.calls if self.by_page else to.scan
        elif self.how == "relevance" and self.rotates:
            varies = to.world.now // DAY
        key = (self._seed, varies, to.world.version, len(ranks))
        if key != self._key:
            self._key, self._order = key, self._arranged(ranks, self._seed + varies)
        return self._order

    def _arranged(self, ranks: list[int], seed: int) -> list[int]:
        if self.how == "reversed":
            return list(ranks)
        mixed = {rank: (rank * 2_654_435_761 ^ seed * 40_503) % 1_000_003 for rank in ranks}
        if self.how == "relevance":
            limit = int(1_000_003 * self.favours)
            above = sorted((rank for rank in ranks if mixed[rank] < limit), key=mixed.__getitem__)
            below = reversed(ranks)
            if self.also_in_place:
                return [*above, *below]
            return above + [rank for rank in below if mixed[rank] >= limit]
        if self.how == "random each time":
            order = list(ranks)
            Random(seed).shuffle(order)
            return order
        return sorted(ranks, key=mixed.__getitem__)
