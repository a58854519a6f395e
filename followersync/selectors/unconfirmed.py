"""Unconfirmed people: absent from Instagram's list, not proven lost, and what each waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts import clock
from followersync import store
from followersync.domain import engine as domain
from followersync.domain.looks import is_mixed
from followersync.domain.outlook import Outlook, outlook, outlook_by_exports
from followersync.domain.patience import DAY, Reappearance, longest_absence, patience_of
from followersync.domain.values import Absence
from followersync.models import Follower, SyncSettings
from followersync.sources.base import EDGE, list_sources
from followersync.store import site_reappearances as site_figures

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

    `lately_missed_days`: for so many days people were recently missed who came back in their
    places; 0: nobody was; `site_missed_days`: in many accounts of the site at one time.
    `shows_newest`: so many people Instagram shows at most, None: no limit is known.
    """

    people: list[Unconfirmed]
    lately_missed_days: int = 0
    shows_newest: int | None = None
    site_missed_days: int = 0


def unconfirmed(account: LinkedAccount, *, limit: int = 50) -> Doubts:
    """The latest first. Four queries: composite keys have no joins."""
    settings = SyncSettings.objects.filter(pk=account.pk).only("memory", "next_due_at").first()
    memory = domain.load(settings.memory if settings else None).memory
    records = store.latest_absences(account.pk, limit)
    people = Follower.objects.filter(account_id=account.pk, key__in=records)
    names = {person.key: person.username for person in people}
    now = clock.now()
    due = settings.next_due_at if settings else None
    next_look = int(max(now, due or now).timestamp())
    site = site_figures.last_counted(now)
    patience = patience_of((*memory.reappearances, *site), int(now.timestamp()))
    by_exports = EDGE not in list_sources(account)

    def waits(record: Absence) -> Outlook:
        if by_exports:
            return outlook_by_exports(record)
        return outlook(record, patience, next_look=next_look, mixed=is_mixed(memory))

    beyond = any(record.beyond for record in records.values())
    return Doubts(
        people=[
            Unconfirmed(names[key], store.moment(record.since), waits(record))
            for key, record in records.items()
            if key in names
        ],
        lately_missed_days=_days(memory.reappearances, now),
        site_missed_days=_days(site, now),
        shows_newest=memory.shown if beyond else None,
    )


def _days(reappearances: tuple[Reappearance, ...], now: datetime) -> int:
    return -(-longest_absence(reappearances, int(now.timestamp())) // DAY)
