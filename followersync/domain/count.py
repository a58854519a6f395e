"""The reported count as a check of the list: how many missing people Instagram still counts.

Instagram reports how many people a list holds, beside the list itself. That number alone proves no
loss; it may delay one, and where it came down by all missing people two looks are enough.
Somebody who left is missing from both, somebody withheld is missing from the list alone.
`Ledger.unexplained` is the number of people who went missing from the list since counting began
without the count coming down by them.

The count is ignored where it did not change (it may be an old one), where it changed by a round
number (it is rounded), where it was not read with the list, or where it reports many more people
than any list has shown. People then wait as if it disagreed.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400
COMPARABLE = 3_600
"""A count and the end of the list read more seconds apart than this are not of one moment."""
FORGIVEN_AFTER = 6 * DAY
"""When the count has reported people whom no list showed for so long, that is its usual excess."""
SLACK_SHARE = 2_000
"""In long lists people come and go while the pages are read: one in so many is ignored."""
NOISE_SHARE = 10_000
"""One in so many who are not shown may have come or left while a long list was read. Holes have
five people or more (docs/simulation.md)."""
DIP_FOR = DAY // 2
"""A count that has been below the list for so long will not rise any more."""
LATE_LOOKS, LATE_AFTER = 2, DAY // 2
LATE_FOR = 30 * DAY
"""For so long after it came down late, the count is expected to come down late again."""
LIVE_FOR = 3 * DAY
"""A count that has not changed for so long may be an old one."""
LEAST_FOR = 10 * DAY
ROUND = 10
ROUND_FROM = 3
"""A change of so many or more to a multiple of ten may be due to rounding."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the count and the list said at the last look at the whole list, and what came since.

    `reported`, `excess` (reported minus shown): at that look; None before the first. `gained`,
    `found`: people added since. `waited`: people lost since, although the count had not come down
    by them. `unexplained`: people missing from the list and still counted; `dip`: people listed and
    not counted yet, since `dip_since`. `owed`, `owed_since`: consecutive looks with unexplained
    people, and the first of them. `fresh_explained`: at that look the count had come down by
    everybody who was missing for the first time. `moved_at`: when it last changed, `late_at`: when
    it last came down for somebody who had been missing in several looks. `least`: the smallest
    recent excess, and when. `surplus_since`: since when `unexplained` exceeds the missing people.
    `stale`: the list shows more counted people than ever, and so people who have left. Times in
    unix seconds.
    """

    reported: int | None = None
    excess: int | None = None
    gained: int = 0
    found: int = 0
    waited: int = 0
    unexplained: int = 0
    dip: int = 0
    dip_since: int = 0
    fresh_explained: bool = False
    moved_at: int = 0
    owed: int = 0
    owed_since: int = 0
    late_at: int | None = None
    least: tuple[int, int] = (0, 0)
    surplus_since: int | None = None
    stale: bool = False


def is_short(reported: int | None, shown: int) -> bool:
    """Whether the list shows too many fewer people than are counted to be complete."""
    return reported is not None and reported - shown > max(2, reported // 20)


def is_absurd(reported: int, shown: int) -> bool:
    """Whether the list shows too many more people than are counted for the count to be used."""
    return shown - reported > max(2, shown // 20)


def is_exact(reported: int | None) -> bool:
    """Whether the count's last digit shows that it is not rounded."""
    return reported is not None and reported % ROUND != 0


def slack(shown: int) -> int:
    """How many unexplained people are within the noise of a list of this length."""
    return shown // SLACK_SHARE


def settle(
    ledger: Ledger, *, reported: int, shown: int, absent: int, fresh: int, at: int
) -> Ledger:
    """The ledger after a look at the whole list.

    `reported`, `shown`: people counted and people on its pages. `absent`: stored people on none of
    them, `fresh`: those of them whom no such look missed before.
    """
    excess = reported - shown
    if ledger.reported is None or ledger.excess is None:
        # Somebody may have come while the first list was read; the second look shows it.
        dip = 1 + shown // NOISE_SHARE
        least = (excess + dip, at)
        return Ledger(
            reported=reported,
            excess=excess,
            dip=dip,
            dip_since=at - DIP_FOR,
            moved_at=at,
            least=least,
        )
    came_down, found = _came_down(ledger, reported)
    more = excess - ledger.excess + found
    before = ledger.unexplained - ledger.waited
    balance = before - ledger.dip + more
    unexplained = max(0, balance)
    dip, dip_since = _dip(ledger, max(0, -balance), at)
    surplus_since = None
    if unexplained > absent:
        surplus_since = at if ledger.surplus_since is None else ledger.surplus_since
        if at - surplus_since >= FORGIVEN_AFTER:
            unexplained, surplus_since = absent, None
    stale = excess < ledger.least[0] - max(1, slack(shown))
    owed_long = ledger.owed >= LATE_LOOKS and at - ledger.owed_since >= LATE_AFTER
    late = came_down > fresh and before > slack(shown) and owed_long
    return Ledger(
        reported=reported,
        excess=excess,
        unexplained=unexplained,
        dip=dip,
        dip_since=dip_since,
        fresh_explained=came_down >= fresh,
        moved_at=at if moves(ledger.reported, reported) else ledger.moved_at,
        owed=ledger.owed + 1 if unexplained > slack(shown) else 0,
        owed_since=ledger.owed_since if ledger.owed else at,
        late_at=at if late else ledger.late_at,
        least=_least(ledger.least, excess + dip, found, at, settled=not absent),
        surplus_since=surplus_since,
        stale=stale,
    )


def _dip(ledger: Ledger, below: int, at: int) -> tuple[int, int]:
    """By how much the count is below the list, and since when; what lasts is its usual excess.

    People who come between the count and the page that shows them are counted by the next look.
    """
    if not below or not ledger.dip:
        return below, at
    if at - ledger.dip_since < DIP_FOR:
        return below, ledger.dip_since
    return max(0, below - ledger.dip), at


def _least(
    before: tuple[int, int], excess: int, found: int, at: int, *, settled: bool
) -> tuple[int, int]:
    least = before[0] - found
    if excess <= least or (settled and at - before[1] > LEAST_FOR):
        return excess, at
    return least, before[1]


def _came_down(ledger: Ledger, reported: int) -> tuple[int, int]:
    """By how many people who left the count came down since the last look (below 0: it rose), and
    how many people found in the list had been counted before.

    Gained people raised the count when they came. Found people may have been counted all along:
    they explain only a rise beyond the newcomers, so that a found person never hides a withheld
    one.
    """
    came_down = ledger.gained - (reported - (ledger.reported or 0))
    if came_down >= 0:
        return came_down, ledger.found
    return min(0, came_down + ledger.found), max(0, came_down + ledger.found)


def moves(before: int, now: int) -> bool:
    """Whether the count changed in a way that rounding does not explain."""
    if before == now:
        return False
    return now % ROUND != 0 or abs(now - before) < ROUND_FROM


def explains(ledger: Ledger, *, at: int, others: int = 0, noise: int = 0) -> bool:
    """Whether the count came down by all missing people, except for `others` and `noise` of them.

    `others`: people by whom it did not come down when they were first missed; one of them may be
    deactivated and still counted for weeks. The count must also be prompt: one that comes down late
    may do so for one of the others, just when somebody else is withheld.
    """
    if ledger.reported is None or ledger.excess is None or ledger.stale:
        return False
    if is_short(ledger.reported, ledger.reported - ledger.excess):
        return False
    late = ledger.late_at is not None and at - ledger.late_at < LATE_FOR
    return not late and ledger.unexplained <= others + noise


def shows_all(ledger: Ledger, *, shown: int, at: int) -> bool:
    """Whether the list shows as many counted people as ever, by a count that is up to date."""
    if ledger.reported is None or ledger.dip or at - ledger.moved_at > LIVE_FOR:
        return False
    rounding = 0 if ledger.reported % ROUND else ROUND if ledger.reported < 1_000 else ROUND**2
    excess = ledger.reported - shown
    return not is_short(ledger.reported, shown) and excess + rounding <= ledger.least[0]


def all_left(ledger: Ledger, *, shown: int, at: int) -> bool:
    """Whether an exact, current count includes nobody, but for noise, who is not shown."""
    if ledger.reported is None or at - ledger.moved_at > LIVE_FOR or not is_exact(ledger.reported):
        return False
    noise = shown // NOISE_SHARE
    return ledger.unexplained <= noise and ledger.reported - shown <= ledger.least[0] + noise


def is_balanced(ledger: Ledger, *, shown: int, now: int | None) -> bool:
    """Whether the count, read `now` too, includes nobody who is withheld."""
    told = now is not None and ledger.reported is not None
    return told and ledger.unexplained <= slack(shown)
