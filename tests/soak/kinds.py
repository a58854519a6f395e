"""What is wrong with each account's list in a soak, and how much of it is hidden meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support.sandbox import Sandbox

ORDERS = ("relevance", "fixed_random", "reversed", "random_each_time")


@dataclass
class Listed:
    """One account of the soak, under the site's passing faults and those of its kind."""

    id: int
    instagram_id: str
    kind: str
    size: int
    #: (from, until, how many of the list are hidden): times of the site's clock.
    hidden: list[tuple[datetime, datetime | None, int]] = field(default_factory=list)


#: kind: (size, chance) -> (faults, hours they last before others come, people hidden meanwhile).
Spell = tuple[dict[str, Any], float, int]
Maker = Callable[[int, random.Random], Spell]


def _honest(size: int, rng: random.Random) -> Spell:
    return {}, 1e9, 0


def _capped(size: int, rng: random.Random) -> Spell:
    cap = max(round(size * rng.uniform(0.7, 0.95)), 1)
    return {"cap_rows": cap}, 1e9, size - cap


def _leaky(size: int, rng: random.Random) -> Spell:
    return {"omit_rows": rng.choice((0.01, 0.03, 0.05))}, 1e9, 0


def _same(size: int, rng: random.Random) -> Spell:
    hours = rng.uniform(8, 40)
    share = rng.uniform(0.02, 0.1)
    return {"omit_same": {"share": share, "hours": hours}}, hours + 12, 0


def _hole(size: int, rng: random.Random) -> Spell:
    hours, rows = rng.uniform(8, 40), rng.randint(1, max(size // 8, 1))
    return {"omit_block": {"rows": rows, "hours": hours}}, hours + 12, 0


def _stale(size: int, rng: random.Random) -> Spell:
    stale = {"share": rng.uniform(0.1, 0.5), "hours": rng.uniform(3, 48)}
    return {"stale": stale}, rng.uniform(6, 48), 0


def _reordered(size: int, rng: random.Random) -> Spell:
    if rng.random() < 0.3:
        return {}, rng.uniform(6, 24), 0
    return {"order": rng.choice(ORDERS)}, rng.uniform(6, 48), 0


def _miscounted(size: int, rng: random.Random) -> Spell:
    faults: dict[str, Any] = {"count_frozen_hours": rng.uniform(6, 48)}
    faults |= {"count_rounded": True} if rng.random() < 0.5 else {}
    faults |= {"count_with_deactivated": False} if rng.random() < 0.5 else {}
    return faults, rng.uniform(12, 48), 0


def _paged(size: int, rng: random.Random) -> Spell:
    names = ("cursor_refused", "cursor_skips", "cursor_repeats", "overlapping_pages")
    faults: dict[str, Any] = dict.fromkeys(rng.sample(names, 2), 0.1)
    return faults | {"max_page_rows": rng.choice((12, 30, 50))}, rng.uniform(12, 48), 0


KINDS: dict[str, Maker] = {
    "honest": _honest,
    "capped": _capped,
    "leaky": _leaky,
    "same rows missing": _same,
    "hole": _hole,
    "stale": _stale,
    "reordered": _reordered,
    "count wrong": _miscounted,
    "cursors wrong": _paged,
}


class Weather:
    """Sets each account's faults anew whenever its spell is over."""

    def __init__(self, sandbox: Sandbox, rng: random.Random) -> None:
        self.sandbox = sandbox
        self.rng = rng
        self._until: dict[int, datetime] = {}

    def blow(self, accounts: list[Listed], now: datetime) -> None:
        for account in accounts:
            if self._until.get(account.id, now) > now:
                continue
            faults, hours, hidden = KINDS[account.kind](account.size, self.rng)
            self._end(account, now)
            self.sandbox.faults(account.instagram_id, **faults)
            if hidden:
                account.hidden.append((now, None, hidden))
            self._until[account.id] = now + timedelta(hours=min(hours, 24 * 365))

    def calm(self, accounts: list[Listed], now: datetime) -> None:
        """The faults of every account are over."""
        for account in accounts:
            self._end(account, now)
            self.sandbox.faults(account.instagram_id)

    def _end(self, account: Listed, now: datetime) -> None:
        if account.hidden and account.hidden[-1][1] is None:
            since, _open, count = account.hidden[-1]
            account.hidden[-1] = (since, now, count)
