"""What an unconfirmed person's verdict waits for, and when it can come at the earliest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from followersync.domain.losses import LOOKS_AT_END, WAIT_AT_END
from followersync.domain.patience import Patience
from followersync.domain.values import LOOKS_APART, Absence


class Waits(StrEnum):
    """For another look; since the count did not come down; since the list stands in another order
    than newest first; since nobody stands beyond them; for want of witnesses; for Instagram to show
    more than its newest; for an export, where nothing else shows the list."""

    SECOND_LOOK = "second_look"
    COUNT = "count"
    MIXED = "mixed"
    AT_END = "at_end"
    NO_WITNESS = "no_witness"
    BEYOND = "beyond"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Outlook:
    """`at`: unix seconds; None: nobody can say."""

    waits: Waits
    at: int | None


def outlook(
    absence: Absence, patience: Patience, *, next_look: int, mixed: bool = False
) -> Outlook:
    """What decides about somebody with this record if each further look is as those before.

    `next_look`: when that is, at the earliest. `mixed`: the list was lately seen in another order.
    The times are those of `followersync.domain.losses.proven`.
    """
    if absence.beyond:
        return Outlook(Waits.BEYOND, None)
    first = max(absence.last_at + LOOKS_APART, next_look)

    def after(looks: int, seconds: int) -> int:
        """When so many more looks, one at least, and so many seconds have passed."""
        return max(first + (max(1, looks) - 1) * LOOKS_APART, absence.since + seconds)

    times = [after(patience.looks_long - absence.whole, patience.seconds_long)]
    if absence.witnessed:
        times.append(after(patience.looks - absence.witnessed, patience.seconds))
    if absence.agreed:
        times.append(after(LOOKS_AT_END - min(absence.whole, absence.agreed), WAIT_AT_END))
    if absence.witnessed and absence.agreed and not mixed:
        both = min(absence.witnessed, absence.agreed)
        times.append(after(patience.looks_counted - both, patience.seconds_counted))
    return Outlook(_waits(absence, mixed=mixed), min(times))


def outlook_by_exports(absence: Absence) -> Outlook:
    """The same where exports alone show the list: the next whole one that is old enough decides."""
    return Outlook(Waits.EXPORT, absence.last_at + LOOKS_APART)


def _waits(absence: Absence, *, mixed: bool) -> Waits:
    if absence.witnessed and absence.agreed:
        return Waits.MIXED if mixed else Waits.SECOND_LOOK
    if absence.witnessed:
        return Waits.COUNT
    return Waits.AT_END if absence.agreed else Waits.NO_WITNESS
