"""Reconciler: loads the absent people, has the domain judge them, and stores the verdicts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import clock
from accounts.scopes import Scope
from accounts.services import gate
from followersync import store
from followersync.domain import engine as domain
from followersync.domain.losses import Missing
from followersync.domain.values import PageLook, Span, Tally
from followersync.services.sync import feed
from followersync.services.sync import lease as leases
from followersync.services.sync.commit import save_state
from followersync.services.sync.feed import Changes
from followersync.store import site_reappearances as site_figures

if TYPE_CHECKING:
    from followersync.domain.engine import AccountState, Verdicts
    from followersync.domain.losses import JudgeContext
    from followersync.domain.values import Absent, Judge
    from followersync.services.sync.commit import PageBatch
    from followersync.services.sync.lease import Lease

BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """The absent people in numbers, and what the judgement of each rests on."""

    step: Judge
    missing: Missing
    context: JudgeContext

    @property
    def absent(self) -> int:
        return self.missing.absent


def open_judgement(
    batch: PageBatch, state: AccountState, step: Judge, followers: int, now: datetime
) -> Judgement:
    """Count the absent and load the evidence; `followers`: stored rows.

    Where the pages in memory show everybody, nobody is absent and no evidence is needed.
    """
    missing, spans = Missing(), list[Span]()
    if step.ranges is not None or not batch.shows_all(step.first_page, followers):
        account_id = batch.lease.account_id
        batch.put_pages()
        spans = store.spans(account_id, step.first_page)
        end = domain.list_end(state, spans)
        missing = store.count_absent(account_id, step.ranges, step.first_page, end=end)
    context = domain.judge_context(
        state,
        spans,
        missing=missing,
        followers=followers,
        now=int(now.timestamp()),
        site=site_figures.count_if_due(now) if missing.absent else (),
    )
    batch.may_be_unconfirmed = batch.may_be_unconfirmed or missing.absent > 0
    return Judgement(step, missing, context)


def judge_few(lease: Lease, state: AccountState, judgement: Judgement) -> AccountState:
    """Judge up to BATCH people, in the caller's transaction."""
    step = judgement.step
    batch: list[Absent] = []
    if judgement.absent:
        batch = store.absent_batch(
            lease.account_id, step.ranges, step.first_page, after=None, limit=BATCH
        )
    verdicts = _judge_batch(lease, judgement.context, batch)
    return _judged(state, judgement, verdicts.tally, verdicts.looks)


def judge_many(
    lease: Lease, state: AccountState, judgement: Judgement, *, now: int
) -> AccountState:
    """Judge in batches with a commit each, so that an unlinking need not wait for all of them.

    A batch judged twice, after a kill, is harmless. Raises LostClaim, or the gate's error.
    """
    step, tally, looks, after = judgement.step, Tally(), list[PageLook](), None
    while True:
        batch = store.absent_batch(
            lease.account_id, step.ranges, step.first_page, after=after, limit=BATCH
        )
        last = len(batch) < BATCH
        with transaction.atomic():
            leases.renew(lease, clock.now())
            gate.ask(lease.account_id, Scope.FOLLOWERS)
            verdicts = _judge_batch(lease, judgement.context, batch)
            tally += verdicts.tally
            looks += verdicts.looks
            if last:
                state = _judged(state, judgement, tally, looks)
                save_state(lease, state, store.moment(now))
        if last:
            return state
        after = batch[-1].key


def _judged(
    state: AccountState, judgement: Judgement, tally: Tally, looks: list[PageLook]
) -> AccountState:
    return domain.judged(state, tally=tally, looks=looks, context=judgement.context)


def _judge_batch(lease: Lease, context: JudgeContext, batch: list[Absent]) -> Verdicts:
    verdicts = domain.judge(context, batch)
    changes = Changes(
        lost=[each.key for each in verdicts.lost],
        moved={each.key: each for each in verdicts.moved},
    )
    if changes:
        counts = feed.apply(lease.account_id, changes)
        leases.commit(lease, **leases.increments(**asdict(counts)))
    store.keep_loss_evidence(lease.account_id, verdicts.lost)
    store.put_absences(lease.account_id, verdicts.absences)
    return verdicts
