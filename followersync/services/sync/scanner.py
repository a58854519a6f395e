"""Scanner: advances a run step by step, as the domain says, until it is finished or time is up."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

from django.db import transaction

from accounts import clock
from accounts.connectivity import GONE
from accounts.errors import ParameterRefused, ThreadsiteError, WrongShape
from accounts.scopes import Scope
from accounts.services import gate
from followersync import store
from followersync.domain import engine as domain
from followersync.domain.values import (
    Finish,
    Judge,
    ListSource,
    PageRole,
    ReadCount,
    ReadPage,
    UnchangedPage,
)
from followersync.models import Mode, Trigger
from followersync.services import call_budget
from followersync.services.personal_data import suppression
from followersync.services.sync import lease as leases
from followersync.services.sync.commit import PageBatch, progress
from followersync.services.sync.finish import finish, finish_count, lock
from followersync.services.sync.reconciler import (
    BATCH,
    Judgement,
    judge_few,
    judge_many,
    open_judgement,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from accounts.instagram.gateway import Usage
    from followersync.domain.engine import AccountState
    from followersync.services.sync.commit import People, Rows
    from followersync.services.sync.lease import Lease
    from followersync.sources.edge import EdgeSource


class HasUsage(Protocol):
    @property
    def usage(self) -> Usage: ...


Answer = TypeVar("Answer", bound=HasUsage)

CALLS_TAKEN = 20

# Pages are committed at least this often, so that progress shows and little is read twice.
SECONDS_PER_COMMIT = 5.0
# Renewed this often, the lease outlasts a slow answer.
SECONDS_PER_RENEWAL = 2.0
# Runs without a request; a requested run reads the whole list.
UNREQUESTED = frozenset({Trigger.SCHEDULE, Trigger.WEBHOOK})


class Scanner:
    """Advances a leased run. Methods may raise LostClaim and the errors of gate and source.

    `scope`: the consent that covers its calls; all but followers' cover only the count. Created
    right after a gate check, which covers the first call.
    """

    def __init__(self, lease: Lease, source: EdgeSource, scope: Scope = Scope.FOLLOWERS) -> None:
        self._lease = lease
        self._scope = scope
        self._source = source
        self._batch = PageBatch(lease)
        self._committed_at = self._renewed_at = time.monotonic()
        self._taken = 0
        self._moment, self._moment_read = lease.at, time.monotonic()
        self._gate_passed = True
        self._state: AccountState = self._begin()
        self._stored = self._state

    @property
    def unbooked_calls(self) -> int:
        return self._batch.calls

    def work(
        self, deadline: float, watch: Callable[[dict[str, int | None]], None] | None = None
    ) -> bool:
        """Step until the run is finished (True) or `deadline` (monotonic seconds) is past."""
        if not self._source.lists:
            self._finish_count()
            return True
        while True:
            step = domain.next_step(self._state)
            if isinstance(step, Judge | Finish):
                if self._judge_and_finish():
                    return True
            elif time.monotonic() >= deadline:
                self._commit()
                return False
            elif isinstance(step, ReadCount):
                self._read_count()
            else:
                self._read(step)
            if watch is not None:
                watch(progress(self._state))

    def _begin(self) -> AccountState:
        """The stored state; at the first slice, with this run begun in it.

        Nothing is written yet: the run begins with the commit of its first pages.
        """
        settings, unconfirmed, has_pages = store.load_run_start(self._lease.account_id)
        self._batch.may_have_stored = has_pages
        self._batch.may_be_unconfirmed = unconfirmed > 0
        state = domain.load(settings.memory or None)
        if self._lease.run.started_at is not None:
            return state
        now = self._now()
        if not self._source.lists:
            leases.commit(self._lease, started_at=now, mode=Mode.COUNT)
            self._lease.run.started_at = now
            return state
        self._batch.begun_at, self._batch.drops_leftovers = now, state.full_scan is None
        # Two calls are enough where nothing has changed.
        self._taken, calls = call_budget.take_first(self._lease.account_id, 2, now)
        return domain.begin_run(
            state,
            now=int(now.timestamp()),
            source=ListSource(page_limit=self._source.page_limit),
            followers=settings.followers_count,
            unconfirmed=unconfirmed,
            calls_left=calls,
            asked=self._lease.run.trigger not in UNREQUESTED,
        )

    def _judge_and_finish(self) -> bool:
        """Write the last pages, judge and finish, in one transaction; True: finished.

        Where very many are absent, they are judged afterwards, batch by batch.
        """
        lease, batch, now = self._lease, self._batch, self._now()
        many: Judgement | None = None
        with transaction.atomic():
            leases.renew(lease, now)
            gate.ask(lease.account_id, Scope.FOLLOWERS)
            raised, state = batch.write(self._state)
            locked, step = lock(lease), domain.next_step(state)
            if isinstance(step, Judge):
                judgement = open_judgement(batch, state, step, locked.settings.followers_count, now)
                if judgement.absent > BATCH:
                    many = judgement
                else:
                    state = judge_few(lease, state, judgement)
                    step = domain.next_step(state)
                    locked = lock(lease) if judgement.absent else locked
            finished = isinstance(step, Finish)
            if finished:
                again = finish(batch, state, locked, raised, self._source.page_limit)
                finished, state = again is None, again or state
            else:
                batch.keep(state, raised, now)
        batch.clear()
        if many is not None:
            state = judge_many(lease, state, many, now=_seconds(now))
        self._state = self._stored = state
        return finished

    def _read_count(self) -> None:
        reported = self._count()
        self._state = domain.count_read(self._state, reported=reported, now=_seconds(self._now()))

    def _finish_count(self) -> None:
        reported = self._count()
        if reported is None:
            raise WrongShape
        finish_count(self._lease, reported, self._scope)

    def _count(self) -> int | None:
        return self._call(self._source.count).followers

    def _read(self, step: ReadPage) -> None:
        try:
            page = self._call(lambda: self._source.page(after=step.after, limit=step.limit))
        except ParameterRefused:
            if step.after is None:
                raise
            # A cursor may expire before the full scan ends, which then begins anew.
            self._state = domain.cursor_lost(self._state)
            return
        known = self._known(step, page.rows)
        rows = suppression.visible(self._lease.account_id, page.rows, known)
        outcome = domain.page_read(
            self._state,
            rows=rows,
            after=page.after,
            known=known,
            lost_before=self._lost_before(page.rows, known),
            now=_seconds(self._now()),
        )
        self._batch.add(outcome)
        self._state = outcome.state
        late = time.monotonic() - self._committed_at > SECONDS_PER_COMMIT
        if self._batch.full or late:
            self._commit()

    def _known(self, step: ReadPage, rows: Rows) -> People:
        """The followers on the page, searched below the lowest place read so far in this scan."""
        state = self._state
        if step.part is PageRole.FULL and state.full_scan is not None:
            below = None if state.full_scan.renumber else state.full_scan.floor
            return self._batch.known(rows, below=below)
        below = None if step.part is PageRole.LOOK or state.run is None else state.run.floor
        return self._batch.known(rows, below=below, pages=1)

    def _lost_before(self, rows: Rows, known: People) -> set[int]:
        if isinstance(known, UnchangedPage):
            return set()
        strangers = [key for key, _username in rows if key not in known]
        return store.lost_before(self._lease.account_id, strangers)

    def _call(self, request: Callable[[], Answer]) -> Answer:
        """Check the gate and make one call, which counts whether or not it succeeds.

        If it fails, the pages before it are committed.
        """
        account_id = self._lease.account_id
        self._renew_lease()
        if not self._gate_passed:
            gate.ask(account_id, self._scope)
        self._gate_passed = False
        try:
            if not self._taken:
                wanted = CALLS_TAKEN if self._batch.pages else 2
                self._taken = call_budget.take(account_id, wanted, self._now())
            self._taken -= 1
            self._batch.calls += 1
            answer = request()
        except ThreadsiteError:
            self._commit()
            raise
        call_budget.note(account_id, answer.usage)
        return answer

    def _renew_lease(self) -> None:
        """Renew the lease before a request that may take long. Raises LostClaim."""
        now = time.monotonic()
        if now - self._renewed_at > SECONDS_PER_RENEWAL:
            leases.renew(self._lease, self._now())
            self._renewed_at = now

    def close(self) -> None:
        """Give back unused calls; without a database they return with the next hour."""
        with suppress(*GONE):
            call_budget.give_back(self._lease.account_id, self._taken)
        self._taken = 0

    def _commit(self) -> None:
        """Commit unless nothing new was read: then the error policy records the calls."""
        if self._state is not self._stored:
            self._state = self._batch.commit(self._state, self._now())
            self._stored = self._state
            self._renewed_at = time.monotonic()
        self._committed_at = time.monotonic()

    def _now(self) -> datetime:
        """The database's time, read at most once a second."""
        read = time.monotonic()
        if read - self._moment_read > 1 / clock.speed():
            self._moment, self._moment_read = clock.now(), read
        return self._moment


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
