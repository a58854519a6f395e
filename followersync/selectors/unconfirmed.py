"""Who is not in Instagram's list just now, and not proven lost either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from followersync.models import Absence, Follower

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import LinkedAccount


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Still a follower here; `since`: the look that first did not show them."""

    username: str
    since: datetime


def unconfirmed(account: LinkedAccount, *, limit: int = 50) -> list[Unconfirmed]:
    """The latest first. Two queries: composite keys have no joins."""
    absences = Absence.objects.filter(account_id=account.pk).order_by("-unconfirmed_since", "key")
    since = {absence.key: absence.unconfirmed_since for absence in absences[:limit]}
    people = Follower.objects.filter(account_id=account.pk, key__in=since)
    names = {person.key: person.username for person in people}
    return [Unconfirmed(names[key], at) for key, at in since.items() if key in names]
