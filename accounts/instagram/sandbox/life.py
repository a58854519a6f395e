"""Random events of followers: follow, leave, return, rename, deactivate, reactivate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from accounts.instagram.sandbox.account import DAY, MICROSECONDS, Account
from accounts.instagram.sandbox.people import People

# In this order within one change: people who leave are not renamed at once, and people who
# follow are not among those who leave.
VERBS: Final = ("leave", "return", "rename", "deactivate", "reactivate", "follow")
PAST: Final = {
    "leave": "left",
    "return": "returned",
    "rename": "renamed",
    "deactivate": "deactivated",
    "reactivate": "reactivated",
    "follow": "followed",
}
# How often each happens by itself. Gains and losses balance, so that lists keep their size.
WEIGHTS: Final = {
    "follow": 34,
    "leave": 36,
    "return": 6,
    "rename": 12,
    "deactivate": 6,
    "reactivate": 6,
}
# After a long pause at most so many events are caught up on at one time.
MAX_CATCH_UP = 10_000


class Life:
    """Applies events to an account, and to every other account that lists the same person."""

    def __init__(self, people: People, accounts: Mapping[str, Account]) -> None:
        self.people = people
        self.accounts = accounts
        self.per_minute = 0.0

    def set_rate(self, per_minute: float, now: int) -> None:
        """Events a minute in each account; 0 stops them. Events due until now happen."""
        for account in self.accounts.values():
            self.live(account, now)
        self.per_minute = per_minute
        for account in self.accounts.values():
            self.begin(account, now)

    def begin(self, account: Account, now: int) -> None:
        """Start random events for this account now."""
        account.next_event_at = now + self._pause(account) if self.per_minute else None

    def live(self, account: Account, now: int) -> None:
        """Apply all events that were due until `now` (microseconds)."""
        for _event in range(MAX_CATCH_UP):
            if account.next_event_at is None or account.next_event_at > now:
                return
            (verb,) = account.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
            self.change(account, {verb: 1}, account.next_event_at)
            account.next_event_at += self._pause(account)
        self.begin(account, now)

    def _pause(self, account: Account) -> int:
        return int(account.rng.expovariate(self.per_minute / 60) * MICROSECONDS) + 1

    def change(
        self, account: Account, wanted: Mapping[str, int | list[int]], now: int
    ) -> dict[str, list[int]]:
        """Numbers of people by what they did. Fewer than wanted if there are no more.

        `wanted` says how many, or which people (numbers). Nobody does two things in one change.
        """
        touched: set[int] = set()
        done: dict[str, list[int]] = {}
        for verb in VERBS:
            amount = wanted.get(verb, 0)
            numbers = self._choose(account, verb, amount, touched)
            for number in numbers:
                self._apply(account, verb, number, now)
            touched.update(numbers)
            done[PAST[verb]] = numbers
        return done

    def _choose(
        self, account: Account, verb: str, amount: int | list[int], touched: set[int]
    ) -> list[int]:
        if isinstance(amount, list):
            return amount
        if verb == "follow":
            return list(self.people.new(amount))
        if verb == "return":
            latest = (n for n in reversed(account.former) if n not in touched)
            return list(islice(latest, amount))
        if verb == "reactivate":
            able = sorted(
                n for n in self.people.inactive if account.followers.key_of(n) is not None
            )
            return account.rng.sample(able, min(amount, len(able)))
        return self._pick(account, amount, touched | self.people.inactive)

    def _pick(self, account: Account, amount: int, excluded: set[int]) -> list[int]:
        """`amount` random followers; by rejection while few of many are wanted."""
        followers, picked = account.followers, set[int]()
        if (amount + len(excluded)) * 3 > followers.length:
            able = [number for number, _key in followers if number not in excluded]
            return account.rng.sample(able, min(amount, len(able)))
        order: list[int] = []
        while len(order) < amount:
            number = followers.at(account.rng.randrange(followers.length))
            if number not in excluded and number not in picked:
                picked.add(number)
                order.append(number)
        return order

    def _apply(self, account: Account, verb: str, number: int, now: int) -> None:
        if verb in {"follow", "return", "leave"}:
            account.past.note(now, number, account.followers.key_of(number))
        else:
            self.people.note(number, now)
        if verb in {"follow", "return"}:
            account.followers.append(number, now)
            account.gained_by_day[now // DAY] += 1
            account.former.pop(number, None)
        elif verb == "leave":
            account.followers.remove(number)
            account.former[number] = None
            account.lost_by_day[now // DAY] += 1
        elif verb == "rename":
            self.people.rename(number)
            self._touch_everywhere(number)
        else:
            change = (
                self.people.inactive.add if verb == "deactivate" else self.people.inactive.discard
            )
            change(number)
            self._touch_everywhere(number)

    def _touch_everywhere(self, number: int) -> None:
        for account in self.accounts.values():
            account.followers.touch(number)

    def rename(self, number: int, username: str, now: int) -> None:
        """Rename a person, for example to a name that another person gave up."""
        self.people.note(number, now)
        self.people.rename(number, username)
        self._touch_everywhere(number)

    def ids(self, done: Mapping[str, Iterable[int]]) -> dict[str, Any]:
        return {
            past: [str(self.people.id_of(n)) for n in numbers] for past, numbers in done.items()
        }
