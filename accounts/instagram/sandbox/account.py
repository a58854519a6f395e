"""A persona: an account that a person can log in with, with followers that change over time."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from accounts.instagram.sandbox.follower_list import FollowerList
from accounts.instagram.sandbox.past import Past
from accounts.instagram.sandbox.people import People

MICROSECONDS = 1_000_000
HOUR = 3_600 * MICROSECONDS
DAY = 24 * HOUR
HISTORY = 3 * 365 * DAY
# Real counts are a little above the listed number: about 3 in 1000 here.
OFFSET_SHARE = 0.003


@dataclass
class Account:
    """`number` is the persona as a person: they too can follow, be renamed, be listed.

    `offset`: how far `followers_count` exceeds the list, besides the deactivated.
    """

    number: int
    app_scoped_id: str
    followers: FollowerList
    rng: random.Random
    offset: int
    follows_count: int
    media_count: int
    # People who left, the latest last; only these can return.
    former: dict[int, None] = field(default_factory=dict)
    gained_by_day: Counter[int] = field(default_factory=Counter)
    lost_by_day: Counter[int] = field(default_factory=Counter)
    next_event_at: int | None = None
    # A cut list can stay cut: (rows at or below this key are withheld, further scans).
    cut: tuple[int, int] | None = None
    # When people followed, before each change; None: they did not follow.
    past: Past[int | None] = field(default_factory=Past)
    # A block that is missing: (which setting of the fault made it, newest and oldest key).
    hole: tuple[int, int, int] | None = None
    # A count that does not move: (which setting made it, the count, until when).
    frozen: tuple[int, int, int] | None = None

    @property
    def people(self) -> People:
        return self.followers.people

    @property
    def id(self) -> str:
        return str(self.people.id_of(self.number))

    @property
    def username(self) -> str:
        return self.people.username_of(self.number)

    @property
    def followers_count(self) -> int:
        """As `/me` states it: with the deactivated, and off by a little."""
        return max(self.followers.length + self.offset, 0)

    @property
    def shown(self) -> int:
        """How many rows a complete list shows."""
        return self.followers.length - self.followers.hidden()

    def true_list(self) -> list[dict[str, str | int]]:
        """Newest first, without the deactivated; `followed_at` in unix seconds."""
        people = self.people
        return [
            {
                "id": str(people.id_of(number)),
                "username": people.username_of(number),
                "followed_at": key // MICROSECONDS,
            }
            for number, key in self.followers
            if number not in people.inactive
        ]


def make_account(
    people: People,
    *,
    seed: str,
    username: str,
    followers: int,
    now: int,
    shared: list[int],
    offset: int | None = None,
) -> Account:
    """`shared`: people who follow another account already and follow this one too."""
    number = people.new(1)[0]
    people.rename(number, username)
    rng = random.Random(f"{seed} {username}")
    account = Account(
        number=number,
        app_scoped_id=f"27{rng.randrange(10**15):015}",
        followers=FollowerList(people),
        rng=rng,
        offset=round(followers * OFFSET_SHARE) if offset is None else offset,
        follows_count=rng.randrange(80, 900),
        media_count=rng.randrange(5, 400),
    )
    own = people.new(followers - len(shared))
    account.followers.fill(own, since=now - HISTORY, until=now - DAY // 24)
    for other in shared:
        account.followers.append(other, now - DAY // 24)
    return account
