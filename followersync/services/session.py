"""One worker's slice of a run: the domain's steps, one after the other, until time is up."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Protocol, TypeVar

from django.db import transaction

from accounts import clock
from accounts.errors import ParameterRefused, ThreadsiteError
from accounts.scopes import Scope
from accounts.services import gate
from followersync import store
from followersync.domain import sync as domain
from followersync.domain.values import AsShown, Finish, Judge, Part, ReadCount, ReadPage, Source
from followersync.models import Absence, Mode, SyncSettings, Trigger
from followersync.selectors.budget import left as calls_left
from followersync.services import budget, claims, suppressing
from followersync.services.batch import Batch, progress, save_state
from followersync.services.finishing import finish, finish_count
from followersync.services.judging import BATCH, Case, judge_few, judge_many, open_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.instagram.gateway import Usage
    from followersync.domain.sync import AccountState
    from followersync.services.batch import People, Rows
    from followersync.services.claims import Claim
    from followersync.sources.edge import EdgeSource


class Answered(Protocol):
    @property
    def usage(self) -> Usage: ...


Answer = TypeVar("Answer", bound=Answered)

CALLS_TAKEN = 20

# What is read is committed at least so often, so that progress shows and little is read twice.
SECONDS_PER_COMMIT = 5.0
# Asked for once in so long, a slow answer leaves most of the lease.
SECONDS_PER_BEAT = 2.0
# Runs that nobody waits for; all others were asked for, and look once more at the whole.
BY_THEMSELVES = frozenset({Trigger.SCHEDULE, Trigger.WEBHOOK})


class Session:
    """Holds a claim. Every method may raise LostClaim and whatever the gate or source raise."""

    def __init__(self, held: Claim, source: EdgeSource) -> None:
        self._held = held
        self._source = source
        self._batch = Batch(held)
        self._committed_at = self._beat_at = time.monotonic()
        self._taken = 0
        self._clock, self._clock_read = 0, -inf
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
            finish_count(self._held, self._count())
            return True
        while True:
            step = domain.next_step(self._state)
            if isinstance(step, Judge | Finish):
                if self._settle():
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

        Nothing is written yet: the run has begun once its first pages are committed.
        """
        settings = SyncSettings.objects.get(pk=self._held.account_id)
        state = domain.load(settings.memory or None)
        if self._held.run.started_at is not None:
            return state
        now = clock.now()
        if not self._source.lists:
            claims.fence(self._held, started_at=now, mode=Mode.COUNT)
            self._held.run.started_at = now
            return state
        self._batch.begun_at, self._batch.drops_leftovers = now, state.campaign is None
        return domain.begin_run(
            state,
            now=int(now.timestamp()),
            source=Source(page_limit=self._source.page_limit),
            followers=settings.followers_count,
            unconfirmed=Absence.objects.filter(account_id=self._held.account_id).count(),
            calls_left=calls_left(self._held.account_id, now).calls,
            asked=self._held.run.trigger not in BY_THEMSELVES,
        )

    def _settle(self) -> bool:
        """Write the last pages, judge and finish, all in one transaction; True: finished.

        Where very many are absent, they are judged afterwards, batch by batch.
        """
        held, now = self._held, self._now()
        many: Case | None = None
        with transaction.atomic():
            claims.fence(held)
            gate.ask(held.account_id, Scope.FOLLOWERS)
            raised = self._batch.write()
            state = self._state
            step = domain.next_step(state)
            if isinstance(step, Judge):
                case = open_case(held, state, step, followers=self._followers(), now=now)
                if case.absent > BATCH:
                    many = case
                else:
                    state = judge_few(held, state, case, now=now)
                    step = domain.next_step(state)
            finished = isinstance(step, Finish)
            if finished:
                again = finish(held, state, raised, self._source.page_limit)
                finished, state = again is None, again or state
            else:
                save_state(held, state)
                claims.fence(held, **raised, attempts=0, progress=progress(state))
        self._batch.clear()
        if many is not None:
            state = judge_many(held, state, many, now=now)
        self._state = self._stored = state
        return finished

    def _read_count(self) -> None:
        self._state = domain.count_read(self._state, reported=self._count(), now=self._now())

    def _count(self) -> int:
        return self._call(self._source.count).followers

    def _read(self, step: ReadPage) -> None:
        try:
            page = self._call(lambda: self._source.page(after=step.after, limit=step.limit))
        except ParameterRefused:
            if step.after is None:
                raise
            # Cursors are not promised to live as long as a campaign: it begins anew.
            self._state = domain.cursor_lost(self._state)
            return
        known = self._known(step, page.rows)
        rows = suppressing.visible(self._held.account_id, page.rows, known)
        outcome = domain.page_read(
            self._state,
            rows=rows,
            after=page.after,
            known=known,
            lost_before=self._lost_before(page.rows, known),
            now=self._now(),
        )
        self._batch.add(outcome)
        self._state = outcome.state
        late = time.monotonic() - self._committed_at > SECONDS_PER_COMMIT
        if self._batch.full or late:
            self._commit()

    def _known(self, step: ReadPage, rows: Rows) -> People:
        """Those on the page who follow, looked for below the lowest place met on the way down."""
        state = self._state
        if step.part is Part.BODY and state.campaign is not None:
            below = None if state.campaign.renumber else state.campaign.floor
            return self._batch.known(rows, below=below)
        below = None if step.part is Part.LOOK or state.run is None else state.run.floor
        return self._batch.known(rows, below=below, pages=1)

    def _lost_before(self, rows: Rows, known: People) -> set[int]:
        if isinstance(known, AsShown):
            return set()
        strangers = [key for key, _username in rows if key not in known]
        return store.lost_before(self._held.account_id, strangers)

    def _call(self, request: Callable[[], Answer]) -> Answer:
        """The gate, then one call, which counts whatever becomes of it.

        If it fails, the pages before it are good and kept.
        """
        account_id = self._held.account_id
        self._beat()
        gate.ask(account_id, Scope.FOLLOWERS)
        try:
            if not self._taken:
                # The first two are enough where nothing has changed.
                wanted = CALLS_TAKEN if self._batch.pages else 2
                self._taken = budget.take(account_id, wanted)
            self._taken -= 1
            self._batch.calls += 1
            answer = request()
        except ThreadsiteError:
            self._commit()
            raise
        budget.note(account_id, answer.usage)
        return answer

    def _beat(self) -> None:
        """Renew the lease before a request that may take long. Raises LostClaim."""
        now = time.monotonic()
        if now - self._beat_at > SECONDS_PER_BEAT:
            claims.fence(self._held)
            self._beat_at = now

    def close(self) -> None:
        """Give back the calls that were taken and not made."""
        budget.give_back(self._held.account_id, self._taken)
        self._taken = 0

    def _commit(self) -> None:
        """A call that brought nothing new is no progress: whoever reacts to its error books it."""
        if self._state is not self._stored:
            self._batch.commit(self._state)
            self._stored = self._state
            self._beat_at = time.monotonic()
        self._committed_at = time.monotonic()

    def _followers(self) -> int:
        return SyncSettings.objects.values_list("followers_count", flat=True).get(
            pk=self._held.account_id
        )

    def _now(self) -> int:
        """Whole seconds; the database is asked for the time once in each."""
        read = time.monotonic()
        if read - self._clock_read > 1:
            self._clock, self._clock_read = int(clock.now().timestamp()), read
        return self._clock
