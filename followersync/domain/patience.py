"""Patience: how long a person must be missing in this account before that proves a loss.

A person who was missed and is back in the same place was withheld, not gone. Later absences in the
same account must last twice as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DAY = 86_400
LOOKS = 8
WAIT = 4 * DAY
"""For people with witnesses while the count disagrees or is unknown. Rows were withheld for up to
three days."""
LONGEST_WAIT = 6 * DAY
MOST_LOOKS = 16
LOOKS_COUNTED = 2
"""Witnessed looks that prove a loss when the count came down by everybody who is missing."""
LOOKS_COUNTED_IN_DOUBT = 4
LOOKS_LONG = 13
WAIT_LONG = 13 * DAY + DAY // 2
"""For people without witnesses, likewise: ends of lists were withheld for up to two weeks."""
LONGEST_WAIT_COUNTED = 4 * DAY
REMEMBERED = 30 * DAY
AT_ONE_TIME = DAY // 4
FEW_ACCOUNTS = 3
SHARE_OF_ACCOUNTS = 10
"""A fault of Instagram's affects many accounts: people come back within so many seconds in at least
so many accounts, and in one of so many that were synced."""
SITE_REMEMBERED = 2 * DAY
"""For so long every account then waits longer."""


@dataclass(frozen=True, slots=True)
class Reappearance:
    """People were missed for `seconds` and `looks`, and came back in their place at `at`."""

    at: int
    seconds: int
    looks: int


@dataclass(frozen=True, slots=True)
class Patience:
    """What a loss takes: `looks` and `seconds` where the count does not confirm it, `looks_counted`
    and `seconds_counted` where it does, `looks_long` and `seconds_long` for people without
    witnesses where it does not."""

    looks: int = LOOKS
    seconds: int = WAIT
    looks_counted: int = LOOKS_COUNTED
    seconds_counted: int = 0
    looks_long: int = LOOKS_LONG
    seconds_long: int = WAIT_LONG


def patience_of(reappearances: tuple[Reappearance, ...], now: int) -> Patience:
    """Twice the longest time, and twice as many looks, of the last thirty days."""
    seconds = longest_absence(reappearances, now)
    looks = max([0, *(each.looks for each in _recent(reappearances, now))])
    return Patience(
        looks=min(MOST_LOOKS, max(LOOKS, 2 * looks)),
        seconds=min(LONGEST_WAIT, max(WAIT, 2 * seconds)),
        looks_counted=min(LOOKS_COUNTED_IN_DOUBT, max(LOOKS_COUNTED, 2 * looks)),
        seconds_counted=min(LONGEST_WAIT_COUNTED, 2 * seconds),
        looks_long=LOOKS_LONG,
        seconds_long=WAIT_LONG,
    )


def longest_absence(reappearances: tuple[Reappearance, ...], now: int) -> int:
    """The longest recent absence in seconds of people who came back; 0: none."""
    return max([0, *(each.seconds for each in _recent(reappearances, now))])


def _recent(reappearances: tuple[Reappearance, ...], now: int) -> list[Reappearance]:
    return [each for each in reappearances if now - each.at <= REMEMBERED]


def remember(
    reappearances: tuple[Reappearance, ...], new: Reappearance
) -> tuple[Reappearance, ...]:
    """The reappearances and one more, without those that another exceeds in every respect."""
    kept = [
        each
        for each in _recent(reappearances, new.at)
        if each.seconds > new.seconds or each.looks > new.looks
    ]
    return (*kept, new)


def common_reappearance(
    seconds: Sequence[int], looks: Sequence[int], *, synced: int, at: int
) -> Reappearance | None:
    """The absence that reappearances in many accounts at once have in common; None: in too few.

    Such a one is a fault of Instagram's. `seconds`, `looks`: of the accounts in which people came
    back within AT_ONE_TIME, the longest first; `synced`: accounts synced in that time.
    """
    many = max(FEW_ACCOUNTS, -(-synced // SHARE_OF_ACCOUNTS))
    if len(seconds) < many:
        return None
    return Reappearance(at=at, seconds=seconds[many - 1], looks=looks[many - 1])


def remembered_site_reappearance(one: Reappearance | None, now: int) -> tuple[Reappearance, ...]:
    """The site's reappearance as long as it is remembered."""
    return () if one is None or now - one.at > SITE_REMEMBERED else (one,)
