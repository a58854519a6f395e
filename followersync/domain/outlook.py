"""Outlook of an unconfirmed person: what the verdict waits for, and its earliest time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from followersync.domain.losses import LOOKS_AT_END, WAIT_AT_END
from followersync.domain.patience import Patience
from followersync.domain.values import LOOKS_APART, Absence


class Waits(StrEnum):
    """What a verdict waits for.

    A second look; the count, which did not come down; the order, which is not newest first;
    somebody beyond the end of the list; witnesses; Instagram to show more than its newest; an
    export, where nothing else shows the list.
    """

    SECOND_LOOK = "second_look"
    COUNT = "count"
    MIXED = "mixed"
    AT_END = "at_end"
    NO_WITNESS = "no_witness"
    BEYOND = "beyond"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Outlook:
    """`at`: unix seconds; None: unknown."""

    waits: Waits
    at: int | None


def outlook(
    absence: Absence, patience: Patience, *, next_look: int, mixed: bool = False
) -> Outlook:
    """What decides about somebody with this record if each further look is like those before.

    `next_look`: the earliest time of the next one. `mixed`: the list was lately seen in another
    order. The times are those of `followersync.domain.losses.proven`.
    """
    if absence.beyond:
        return Outlook(Waits.BEYOND, None)
    first = max(absence.last_at + LOOKS_APART, next_look)

    def after(looks: int, seconds: int) -> int:
        """When `looks` more looks, at least one, and `seconds` have passed."""
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
    """The same where only exports show the list: the next whole one that is late enough decides."""
    return Outlook(Waits.EXPORT, absence.last_at + LOOKS_APART)


def _waits(absence: Absence, *, mixed: bool) -> Waits:
    if absence.witnessed and absence.agreed:
        return Waits.MIXED if mixed else Waits.SECOND_LOOK
    if absence.witnessed:
        return Waits.COUNT
    return Waits.AT_END if absence.agreed else Waits.NO_WITNESS
