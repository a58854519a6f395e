"""What an unconfirmed person's verdict waits for, and when it can come at the earliest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from followersync.domain.losses import WAIT_AT_END
from followersync.domain.patience import Patience
from followersync.domain.values import LOOKS_APART, Absence


class Waits(StrEnum):
    """For another look; since the count did not come down; since nobody stands beyond them; for
    want of witnesses; for Instagram to show more than its newest."""

    SECOND_LOOK = "second_look"
    COUNT = "count"
    AT_END = "at_end"
    NO_WITNESS = "no_witness"
    BEYOND = "beyond"


@dataclass(frozen=True, slots=True)
class Outlook:
    """`at`: unix seconds; None: nobody can say."""

    waits: Waits
    at: int | None


def outlook(absence: Absence, patience: Patience) -> Outlook:
    """The rule that will decide about somebody with this record, if nothing changes."""
    if absence.beyond:
        return Outlook(Waits.BEYOND, None)
    if absence.witnessed and absence.agreed:
        at = max(absence.last_at + LOOKS_APART, absence.since + patience.seconds_counted)
        return Outlook(Waits.SECOND_LOOK, at)
    if absence.witnessed:
        return Outlook(Waits.COUNT, absence.since + patience.seconds)
    if absence.agreed:
        return Outlook(Waits.AT_END, absence.since + WAIT_AT_END)
    return Outlook(Waits.NO_WITNESS, absence.since + patience.seconds_long)
