"""What lists of followers are reported to do, each kind with its source.

A fault comes in spells: some last for one answer, some for weeks. The sources are public issue
threads (`owner/project#number`).
"""

from __future__ import annotations

from bisect import bisect_left
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.door import Refused, Transient
from tests.simulation.population import DAY, HOUR

if TYPE_CHECKING:
    from tests.simulation.instagram import Instagram

Span = tuple[float, float]
STICKS = 0.1
"""How many of the spoiled answers stay so for a while."""
ALWAYS: Span = (10_000.0, 10_000.0)
AT_ONCE: Span = (0.0, 0.0)


class Fault:
    """Comes and goes in spells; does nothing by itself.

    `first`, `lasts`, `pauses`: the least and most days until the first spell, of a spell, and
    between two. `orders`: changes the order of the list. `withheld`: ranks left out; `filled`:
    their rooms are taken by later rows, so that the page is full. `overlap`: rows that the next
    page shows again.
    """

    orders = False

    def __init__(self, rng: Random, first: Span, lasts: Span, pauses: Span) -> None:
        self.rng, self.lasts, self.pauses = rng, lasts, pauses
        self.withheld: set[int] = set()
        self.filled = False
        self.overlap = 0
        self._first: Span | None = first
        self._turns_at = 0
        self._upon = False

    def is_upon(self, to: Instagram) -> bool:
        now = to.world.now
        if self._first is not None:
            self._turns_at, self._first = now + self._days(self._first), None
        if now >= self._turns_at:
            self._upon = not self._upon
            self._turns_at = now + self._days(self.lasts if self._upon else self.pauses)
            if self._upon:
                self.begin(to)
        return self._upon

    def _days(self, span: Span) -> int:
        low, high = span
        if low and high / low > 20:  # from hours to weeks: as many short ones as long
            return round(DAY * low * (high / low) ** self.rng.random())
        return round(DAY * self.rng.uniform(low, high))

    def begin(self, to: Instagram) -> None:
        """A spell begins."""

    def ask(self, to: Instagram, after: str | None) -> None:
        """Before an answer; may raise Transient or Refused."""

    def stale_at(self, to: Instagram) -> int | None:
        """The moment that this answer shows."""
        return None

    def listed(self, to: Instagram, ranks: list[int]) -> list[int]:
        return ranks

    def floor(self, to: Instagram, ranks: list[int]) -> int:
        """The index of the oldest that is shown."""
        return 0

    def order(self, to: Instagram, ranks: list[int]) -> list[int] | None:
        return None

    def leaves_out(self, rows: int) -> int:
        """How many of so many rows single answers leave out, besides those withheld."""
        return 0

    def limit(self, limit: int) -> int:
        return limit

    def shift(self, limit: int, after: str | None) -> int:
        """By how many rows the page begins too early; below 0: too late."""
        return 0

    def answer(
        self, to: Instagram, ranks: list[int], following: str | None
    ) -> tuple[list[int], str | None]:
        return ranks, following

    def count(self, to: Instagram, value: int | None) -> int | None:
        return value


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


# -- pages and cursors ---------------------------------------------------------------------------


class Overlap(Fault):
    """A page begins with rows of the one before (ramtinak/InstagramApiSharp#390, #516)."""

    def begin(self, to: Instagram) -> None:
        self.overlap = self.rng.randint(1, 20)


class FewerRows(Fault):
    """Pages hold fewer rows than were asked for (mgp25/Instagram-API#1340: 200, now all at once,
    now paged; ping/instagram_private_api#342: 195 of 200)."""

    most = 1000

    def begin(self, to: Instagram) -> None:
        self.most = self.rng.choice((12, 25, 50, 100, 195))

    def limit(self, limit: int) -> int:
        return min(limit, self.most)


class Cursors(Fault):
    """A cursor is refused (pubky/pubky-nexus#959: unknown past what is cached), skips a page
    (Retrospring/retrospring#273: ordered by one key and paged by another; ippontech/tatami#365), or
    gives the page before again (mgp25/Instagram-API#1340, LevPasha/Instagram-API-python#104,
    blacksky-algorithms/atproto#34)."""

    def __init__(
        self, rng: Random, first: Span, lasts: Span, pauses: Span, how: str, share: float
    ) -> None:
        super().__init__(rng, first, lasts, pauses)
        self.how, self.share = how, share

    def ask(self, to: Instagram, after: str | None) -> None:
        if after is not None and self.how == "refused" and self.rng.random() < self.share:
            raise Refused

    def leaves_out(self, rows: int) -> int:
        return int(self.how == "skips")

    def shift(self, limit: int, after: str | None) -> int:
        if after is None or self.how == "refused" or self.rng.random() >= self.share:
            return 0
        return -limit if self.how == "skips" else limit


# -- the count -----------------------------------------------------------------------------------


class Count(Fault):
    """The count stands still (instaloader/instaloader#1267: cached), is rounded
    (eni9889/IG-PP-Issues#11: 12.4k; dannyvassallo/insta_scrape#17), counts the deactivated or not
    (TheM4hd1/SwiftyInsta#73, sbertix/Swiftagram#161), or is not given (inovector/mixpost, whose
    import reads a missing field as 0)."""

    def __init__(self, rng: Random, first: Span, lasts: Span, pauses: Span, how: str) -> None:
        super().__init__(rng, first, lasts, pauses)
        self.how = how
        self.at: int | None = 0

    def begin(self, to: Instagram) -> None:
        self.at = to.true_count(to.world.now)

    def count(self, to: Instagram, value: int | None) -> int | None:
        if value is None or self.how == "missing":
            return None
        match self.how:
            case "frozen":
                return self.at
            case "rounded":
                step = 10 if value < 1_000 else 100
                return value - value % step
            case "with the deactivated":
                return value if to.hidden_counted else value + len(to.world.hidden)
            case "without the deactivated":
                return value - len(to.world.hidden) if to.hidden_counted else value
        return value


# -- single answers ------------------------------------------------------------------------------


class Spoils(Fault):
    """Single answers are spoiled, each with a probability; some stay so for an hour to two weeks.

    empty: davidarroyo1234/InstagramUnfollowers#322, with a cursor bluesky-social/atproto#5375.
    cut: davidarroyo1234/InstagramUnfollowers#98. truncate: #333 there. error: Tuhin-thinks/Meerkit
    (an answer that is no success ends the reading). duplicate: ramtinak/InstagramApiSharp#516.
    shuffle: dilame/instagram-private-api#1290. loop: dilame/instagram-private-api#232,
    mgp25/Instagram-API#1103. wild counts: davidarroyo1234/InstagramUnfollowers#186.
    """

    def __init__(
        self, rng: Random, first: Span, lasts: Span, pauses: Span, how: str, share: float
    ) -> None:
        super().__init__(rng, first, lasts, pauses)
        self.how, self.share = how, share
        self._sticks_until = self._seed = 0
        self._strikes = False
        self._keep = 1.0

    def ask(self, to: Instagram, after: str | None) -> None:
        now = to.world.now
        self._strikes = now < self._sticks_until or self.rng.random() < self.share
        if self._strikes and now >= self._sticks_until:
            self._seed = self.rng.randrange(1 << 30)
            self._keep = 0.0 if self.rng.random() < 0.5 else self.rng.uniform(0.5, 1.0)
            if self.how not in ("error", "loop") and self.rng.random() < STICKS:
                self._sticks_until = now + self._days((0.04, 14))
        if self._strikes and self.how == "error":
            raise Transient

    def leaves_out(self, rows: int) -> int:
        return int(self.how in ("empty", "truncate", "duplicate"))

    def floor(self, to: Instagram, ranks: list[int]) -> int:
        if not self._strikes or self.how != "cut" or not ranks:
            return 0
        return len(ranks) - int(len(ranks) * self._keep) if self._keep else 1

    def count(self, to: Instagram, value: int | None) -> int | None:
        if value is None or not self._strikes or self.how != "wild count":
            return value
        near = value + self.rng.randint(-9, 9)
        return self.rng.choice((0, value // 2, value * 2, near, 1))

    def answer(
        self, to: Instagram, ranks: list[int], following: str | None
    ) -> tuple[list[int], str | None]:
        if not self._strikes:
            return ranks, following
        if self.how == "empty":
            return [], following if self.rng.random() < 0.3 else None
        if self.how == "loop" and following is not None and to.cursors:
            return ranks, self.rng.choice(to.cursors)
        if len(ranks) > 1:
            if self.how == "truncate":
                return ranks[: -self.rng.randint(1, max(1, len(ranks) // 2))], following
            if self.how == "shuffle":
                return self._shuffled(ranks), following
            if self.how == "duplicate":
                return self._doubled(ranks), following
        return ranks, following

    def _shuffled(self, ranks: list[int]) -> list[int]:
        """The whole page, or a few rows; the same each time while it sticks."""
        rng, ranks = Random(self._seed), list(ranks)
        if rng.random() < 0.5:
            rng.shuffle(ranks)
            return ranks
        for _ in range(rng.randint(1, 3)):
            one, other = rng.randrange(len(ranks)), rng.randrange(len(ranks))
            ranks[one], ranks[other] = ranks[other], ranks[one]
        return ranks

    def _doubled(self, ranks: list[int]) -> list[int]:
        """Rows come twice: beside the others, or in the place of others."""
        ranks = list(ranks)
        for _ in range(self.rng.randint(1, 3)):
            rank, at = self.rng.choice(ranks), self.rng.randrange(len(ranks))
            if self.rng.random() < 0.5:
                ranks[at] = rank
            else:
                ranks.insert(at, rank)
        return ranks
