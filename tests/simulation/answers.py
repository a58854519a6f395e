"""What is reported to be wrong with pages, cursors, counts and single answers.

The sources are public issue threads (`owner/project#number`).
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.simulation.door import Refused, Transient
from tests.simulation.fault import Fault, Span

if TYPE_CHECKING:
    from tests.simulation.instagram import Instagram

STICKS = 0.1
"""How many of the spoiled answers stay so for a while."""


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
