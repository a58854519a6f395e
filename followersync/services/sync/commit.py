"""Commit of pages: at most PAGES_PER_COMMIT pages and their consequences in one transaction.

The state that says where to continue is committed with them, so each page is applied exactly once,
whichever process dies when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.scopes import Scope
from accounts.services import gate
from followersync import store
from followersync.domain import engine as domain
from followersync.domain.values import Absence, StoredConnection, UnchangedPage
from followersync.models import SyncSettings
from followersync.services.sync import feed, full_scans
from followersync.services.sync import lease as leases
from followersync.services.sync.feed import Changes

if TYPE_CHECKING:
    from followersync.domain.engine import AccountState, PageOutcome
    from followersync.domain.values import PageEvidence
    from followersync.services.sync.lease import Lease
    from followersync.store import Block

Rows = Sequence[tuple[int, str]]
People = Mapping[int, StoredConnection]

PAGES_PER_COMMIT = 20
# The people of so many pages are loaded at once where a list is read downwards.
PAGES_PER_BLOCK = 5


@dataclass(slots=True)
class PageBatch:
    """Pages that were read and are not committed yet.

    `begun_at`: set while the run has committed nothing yet. `may_have_stored`,
    `may_be_unconfirmed`: False where it is known that the account has no stored pages, or that
    nobody is unconfirmed; only the worker with the lease could change that.
    """

    lease: Lease
    begun_at: datetime | None = None
    drops_leftovers: bool = False
    changes: Changes = field(default_factory=Changes)
    pages: list[tuple[PageEvidence, Sequence[int]]] = field(default_factory=list)
    moved_by_page: list[frozenset[int]] = field(default_factory=list)
    doubts: list[tuple[int, int, Sequence[int]]] = field(default_factory=list)
    calls: int = 0
    may_have_stored: bool = True
    may_be_unconfirmed: bool = True
    _people: dict[int, StoredConnection] = field(default_factory=dict)
    _changed: set[int] = field(default_factory=set)
    _block: Block = store.EMPTY_BLOCK
    _by_person: bool = False
    _put: bool = False
    _by_block: bool = True

    @property
    def full(self) -> bool:
        """Whether to commit now. Doubts change rows that are not in memory, so they cannot wait."""
        return len(self.pages) >= PAGES_PER_COMMIT or bool(self.doubts)

    def known(
        self, rows: Rows, *, below: int | None = None, pages: int = PAGES_PER_BLOCK
    ) -> People:
        """The followers among `rows`, as the uncommitted pages leave them.

        `below`: a place under which most of them are expected, with those of the next `pages`.
        Nothing is cached beyond the commit.
        """
        if below is not None and self._by_block:
            shown = self._unchanged_page(rows, below, pages)
            if shown is not None:
                return shown
        people = self._people
        keys = [key for key, _username in rows]
        strangers = [key for key in keys if key not in people]
        if strangers:
            people |= store.load_stored(self.lease.account_id, strangers)
        return {key: people[key] for key in keys if key in people}

    def _unchanged_page(self, rows: Rows, below: int, pages: int) -> UnchangedPage | None:
        """The page if it shows exactly what is stored; else load its block person by person."""
        if not self._block.reaches(below, len(rows)):
            self._block = store.load_block(self.lease.account_id, below, pages * len(rows))
            self._by_person = False
        shown = self._block.shown_by(rows, below)
        if shown is not None and self._changed.isdisjoint(shown.keys_shown):
            return shown
        if not self._by_person:
            self._people = self._block.people() | self._people
            self._by_person = True
        strangers = sum(key not in self._people for key, _username in rows)
        self._by_block = strangers < max(1, len(rows) // 2)
        return None

    def add(self, outcome: PageOutcome) -> None:
        """Add a page's outcome to the next commit."""
        for one in outcome.added:
            self._people[one.key] = StoredConnection(one.username, one.place, one.sure)
            self._changed.add(one.key)
        for name in outcome.renamed:
            before = self._person(name.key)
            self._people[name.key] = before._replace(username=name.username)
            self._changed.add(name.key)
        for moved in outcome.moved:
            before = self._person(moved.key)
            self._people[moved.key] = before._replace(place=moved.place, sure=moved.sure)
            self.changes.moved[moved.key] = moved
            self._changed.add(moved.key)
        self.changes.added.extend(outcome.added)
        self.changes.renamed.extend(outcome.renamed)
        self.pages.append((outcome.page, outcome.seen))
        self.moved_by_page.append(frozenset(moved.key for moved in outcome.moved))
        self.doubts.extend((low, high, outcome.seen) for low, high in outcome.doubt)

    def _person(self, key: int) -> StoredConnection:
        """A person on the page, also where it was compared as a whole."""
        if key not in self._people and not self._by_person:
            self._people = self._block.people() | self._people
            self._by_person = True
        return self._people[key]

    def commit(self, state: AccountState, now: datetime) -> AccountState:
        """Commit the pages under the lease and the gate; returns the state that was stored.

        Raises LostClaim, or the gate's error.
        """
        with transaction.atomic():
            leases.renew(self.lease, now)
            gate.ask(self.lease.account_id, Scope.FOLLOWERS)
            raised, state = self.write(state)
            self.keep(state, raised, now)
        self.clear()
        return state

    def keep(self, state: AccountState, raised: dict[str, Any], now: datetime) -> None:
        """Store what the next slice continues from: the pages, the state and the run's progress."""
        self.put_pages()
        save_state(self.lease, state, now)
        leases.commit(self.lease, **raised, attempts=0, progress=progress(state), heartbeat_at=now)

    def write(self, state: AccountState) -> tuple[dict[str, Any], AccountState]:
        """Write in the caller's transaction; returns the changes of the run's row, and the state
        with the absences of people who reappeared.

        All but the pages: where they are judged at once, they are never read.
        """
        begun: dict[str, Any] = {}
        if self.begun_at is not None:
            begun["started_at"] = self.begun_at
            if self.drops_leftovers and self.may_have_stored:
                store.drop_pages(self.lease.account_id)
                self.may_have_stored = False
        counts = feed.apply(self.lease.account_id, self.changes)
        for low, high, shown in self.doubts:
            store.mark_unsure(self.lease.account_id, low, high, shown)
        seen = self.seen() if self.may_be_unconfirmed else []
        if seen:
            state = self._reappeared(state, store.forget_seen(self.lease.account_id, seen))
        raised = leases.increments(calls=self.calls, pages=len(self.pages), **asdict(counts))
        return begun | raised, state

    def _reappeared(self, state: AccountState, ended: dict[int, Absence]) -> AccountState:
        """The state after unconfirmed people, whose records `ended`, were seen, page by page."""
        for (page, keys), moved in zip(self.pages, self.moved_by_page, strict=True):
            seen = [key for key in keys if key in ended]
            if not seen:
                continue
            in_place = [ended[key] for key in seen if key not in moved]
            elsewhere = [ended[key] for key in seen if key in moved]
            state = domain.reappeared(state, in_place, elsewhere, now=page.at)
            for key in seen:
                del ended[key]
        return state

    def seen(self) -> list[int]:
        """The people on the uncommitted pages."""
        return [key for _page, keys in self.pages for key in keys]

    def put_pages(self) -> None:
        """Store the pages until they are judged; once, however often it is called."""
        if self.pages and not self._put:
            store.put_pages(self.lease.account_id, self.pages)
            self.may_have_stored = self._put = True

    def drop_pages(self) -> None:
        """After the judgement: delete stored pages, and store no others."""
        if self.may_have_stored:
            store.drop_pages(self.lease.account_id)
        self.may_have_stored, self._put = False, True

    def shows_all(self, first_page: int, followers: int) -> bool:
        """Whether the pages from `first_page` on are in memory and show all `followers`."""
        if not self.pages or self.pages[0][0].number > first_page:
            return False
        return len(set(self.seen())) == followers

    def clear(self) -> None:
        """Empty the batch after the commit."""
        self.begun_at = None
        self.changes, self.pages, self.moved_by_page = Changes(), [], []
        self.doubts, self.calls = [], 0
        self._put = False
        self._people.clear()
        self._changed.clear()
        self._block, self._by_person = store.EMPTY_BLOCK, False


def save_state(lease: Lease, state: AccountState, now: datetime) -> None:
    """Store the domain's state of the account, in the caller's transaction."""
    SyncSettings.objects.filter(pk=lease.account_id).update(memory=domain.dump(state))
    full_scans.mirror(lease.account_id, state, now)


def progress(state: AccountState) -> dict[str, int | None]:
    """The progress of a run. For the expected number see `selectors.expected`."""
    reached = domain.progress(state)
    return {"seen": reached.seen, "page": reached.pages}
