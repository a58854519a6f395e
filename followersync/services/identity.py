"""Identity: gives a person known only by an archive's name the Instagram id that a list shows.

The row is re-keyed, with its dates and history, and the feed says `identified`. Names are changed
and re-used, so the dates must agree: a newcomer at the head of the list is not the person who has
followed for years.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from followersync.domain.values import AddedKind
from followersync.store import FeedEntry, identity

if TYPE_CHECKING:
    from followersync.domain.values import Added
    from followersync.services.sync.feed import Changes

# A person gained since the last look followed at most this long before they were seen.
FRESH_SECONDS = 8 * 86_400


@dataclass(slots=True)
class Identified:
    """`keys`: added people who were stored already; `gone`: the rows (key, name) they replace."""

    keys: set[int] = field(default_factory=set)
    gone: list[tuple[int, str]] = field(default_factory=list)
    entries: list[FeedEntry] = field(default_factory=list)


def identify(account_id: int, changes: Changes, at: datetime) -> Identified:
    """Give ids to people of `changes` who were known by name, in the caller's transaction.

    Call it before the rest of `changes` is written, but after the losses.
    """
    found = Identified()
    if not (changes.added or changes.renamed) or not identity.has_surrogates(account_id):
        return found
    added = {each.username.lower(): each for each in changes.added}
    renamed = {each.username.lower(): each.key for each in changes.renamed}
    named = identity.surrogates_named(account_id, [*added, *renamed])
    rekeyed, merged = [], []
    for person in named:
        new = added.get(person.username)
        if new is not None and _agrees(new, person.since, int(at.timestamp())):
            rekeyed.append((person.key, new.key, new.place, new.sure))
            found.keys.add(new.key)
            _note(found, new.key, person)
        elif new is None:
            merged.append((person.key, renamed[person.username]))
            _note(found, renamed[person.username], person)
    if rekeyed:
        identity.rekey(account_id, rekeyed)
    if merged:
        identity.merge(account_id, merged)
    return found


def _agrees(new: Added, since: int | None, at: int) -> bool:
    if new.kind in (AddedKind.BASELINE, AddedKind.FOUND):
        return True
    return since is None or since > at - FRESH_SECONDS


def _note(found: Identified, key: int, person: identity.Surrogate) -> None:
    found.gone.append((person.key, person.username))
    found.entries.append(FeedEntry("identified", key, person.username, previous_key=person.key))
