"""Who is not in Instagram's list just now, and not proven lost either; what each waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts import clock
from followersync import store
from followersync.domain import sync as domain
from followersync.domain.outlook import Outlook, outlook
from followersync.domain.patience import Patience, patience_of
from followersync.models import Follower, SyncSettings

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import LinkedAccount


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Still a follower here; `since`: the look that first did not show them."""

    username: str
    since: datetime
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Doubts:
    """The latest of an account's unconfirmed people.

    `lately_missed_days`: people were missed for so many days of late and came back in their places;
    0: nobody was. `shows_newest`: so many people Instagram shows at most, None: no end is seen.
    """

    people: list[Unconfirmed]
    lately_missed_days: int = 0
    shows_newest: int | None = None


def unconfirmed(account: LinkedAccount, *, limit: int = 50) -> Doubts:
    """The latest first. Three queries: composite keys have no joins."""
    settings = SyncSettings.objects.filter(pk=account.pk).only("memory").first()
    memory = domain.load(settings.memory if settings else None).memory
    records = store.latest_absences(account.pk, limit)
    people = Follower.objects.filter(account_id=account.pk, key__in=records)
    names = {person.key: person.username for person in people}
    patience = patience_of(memory.reappearances, int(clock.now().timestamp()))
    beyond = any(record.beyond for record in records.values())
    return Doubts(
        people=[
            Unconfirmed(names[key], store.moment(record.since), outlook(record, patience))
            for key, record in records.items()
            if key in names
        ],
        lately_missed_days=_days(memory.reappearances, patience),
        shows_newest=memory.shown if beyond else None,
    )


def _days(reappearances: tuple[object, ...], patience: Patience) -> int:
    """Half of what is waited for on their account, in days, rounded up."""
    return -(-patience.seconds_counted // (2 * 86_400)) if reappearances else 0
