"""What is wrong with each account's list in a soak, and how much of it is hidden meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accounts.instagram.sandbox.fault_kinds import ORDERS
from tests.support.sandbox import Sandbox


@dataclass
class Spell:
    """Faults for some hours; what they hide all that time: who is past `cap`, and `rows` others."""

    faults: dict[str, Any] = field(default_factory=dict)
    hours: float = 24 * 365.0
    cap: int | None = None
    rows: int = 0

    def hidden(self, shown: int) -> int:
        """Of a list of which a perfect lister would show so many."""
        past = 0 if self.cap is None else max(shown - self.cap, 0)
        return past + min(self.rows, shown)


@dataclass
class Listed:
    """One account of the soak, under the site's passing faults and those of its kind."""

    id: int
    instagram_id: str
    kind: str
    size: int
    spell: Spell = field(default_factory=Spell)


Maker = Callable[[int, random.Random], Spell]


def _honest(size: int, rng: random.Random) -> Spell:
    return Spell()


def _capped(size: int, rng: random.Random) -> Spell:
    cap = max(round(size * rng.uniform(0.7, 0.95)), 1)
    return Spell({"cap_rows": cap}, cap=cap)


def _leaky(size: int, rng: random.Random) -> Spell:
    return Spell({"omit_rows": rng.choice((0.01, 0.03, 0.05))})


def _same(size: int, rng: random.Random) -> Spell:
    hours = rng.uniform(8, 40)
    share = rng.uniform(0.02, 0.1)
    return Spell({"omit_same": {"share": share, "hours": hours}}, hours + 12)


def _hole(size: int, rng: random.Random) -> Spell:
    hours, rows = rng.uniform(8, 40), rng.randint(1, max(size // 8, 1))
    if rng.random() < 0.3:
        return Spell(hours=12)
    return Spell({"omit_block": {"rows": rows, "hours": hours}}, hours, rows=rows)


def _stale(size: int, rng: random.Random) -> Spell:
    stale = {"share": rng.uniform(0.1, 0.5), "hours": rng.uniform(3, 48)}
    return Spell({"stale": stale}, rng.uniform(6, 48))


def _reordered(size: int, rng: random.Random) -> Spell:
    if rng.random() < 0.3:
        return Spell(hours=rng.uniform(6, 24))
    return Spell({"order": rng.choice(ORDERS)}, rng.uniform(6, 48))


def _miscounted(size: int, rng: random.Random) -> Spell:
    faults: dict[str, Any] = {"count_frozen_hours": rng.uniform(6, 48)}
    faults |= {"count_rounded": True} if rng.random() < 0.5 else {}
    faults |= {"count_with_deactivated": False} if rng.random() < 0.5 else {}
    return Spell(faults, rng.uniform(12, 48))


def _paged(size: int, rng: random.Random) -> Spell:
    names = ("cursor_refused", "cursor_skips", "cursor_repeats", "overlapping_pages")
    faults: dict[str, Any] = dict.fromkeys(rng.sample(names, 2), 0.1)
    return Spell(faults | {"max_page_rows": rng.choice((12, 30, 50))}, rng.uniform(12, 48))


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
        self._until: dict[str, datetime] = {}

    def blow(self, accounts: list[Listed], now: datetime) -> None:
        for account in accounts:
            if self._until.get(account.instagram_id, now) > now:
                continue
            account.spell = KINDS[account.kind](account.size, self.rng)
            self.sandbox.faults(account.instagram_id, **account.spell.faults)
            self._until[account.instagram_id] = now + timedelta(hours=account.spell.hours)

    def calm(self, accounts: list[Listed]) -> None:
        """The faults of every account are over."""
        for account in accounts:
            account.spell = Spell()
            self.sandbox.faults(account.instagram_id)
