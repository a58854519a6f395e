"""The end of a run: its snapshot, and when the account is due next."""

from __future__ import annotations

import random
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Sum

from accounts import clock
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.services import gate
from followersync import store
from followersync.domain import schedule
from followersync.domain import sync as domain
from followersync.domain.values import Source
from followersync.models import Absence, FollowerSnapshot, Mode, SyncRun, SyncSettings, Trigger
from followersync.selectors.budget import left as calls_left
from followersync.services import campaigns, claims

if TYPE_CHECKING:
    from followersync.domain.closing import Finished
    from followersync.domain.sync import AccountState
    from followersync.services.claims import Claim

CHANGES_OVER = timedelta(days=7)
# A storm of bells costs an account one look in so long.
DEBOUNCE = timedelta(seconds=20)


def finish(
    held: Claim, state: AccountState, raised: dict[str, Any], page_limit: int
) -> AccountState | None:
    """Close the run with what it found, in the caller's transaction, behind fence and gate.

    `raised`: what the last pages change of the run's row. Answers the state to go on with where
    the first list is read a second time at once, None where the run is over.
    """
    with transaction.atomic(savepoint=False):
        settings = SyncSettings.objects.select_for_update().get(pk=held.account_id)
        now = clock.now()
        unconfirmed = Absence.objects.filter(account_id=held.account_id).count()
        done = domain.finish_run(
            state,
            followers=settings.followers_count,
            unconfirmed=unconfirmed,
            now=int(now.timestamp()),
        )
        if done.drop_pages:
            store.drop_pages(held.account_id)
        campaigns.mirror(held.account_id, state)
        if state.campaign is not None and not done.campaign_open:
            campaigns.close(held.account_id, finished=done.evidence.finished)
        settings.memory = domain.dump(done.state)
        settings.complete = settings.complete or done.complete
        settings.reported = done.state.memory.reported
        if settings.baseline_at is None and done.snapshot and done.mode.value == Mode.FULL:
            settings.baseline_at = now
        if not done.confirm:
            _close(held, settings, now, mode=done.mode.value, raised=raised)
        if done.snapshot:
            _snapshot(held, settings, now, unconfirmed, done.mode.value, _evidence(done))
        if done.confirm:
            claims.fence(held, **raised, attempts=0)
            again = _again(done.state, settings, unconfirmed, now, page_limit)
            settings.memory = domain.dump(again)
            settings.save()
            return again
        settings.next_due_at = next_due(
            settings,
            now,
            second_look_in=done.second_look_in,
            campaign_open=done.campaign_open and not done.paced,
        )
        _answer_bell(held, settings, raised.get("started_at") or held.run.started_at, now)
        settings.save()
    return None


def _again(
    state: AccountState, settings: SyncSettings, unconfirmed: int, now: datetime, page_limit: int
) -> AccountState:
    """The state of the same run's second look at the whole list."""
    return domain.begin_run(
        state,
        now=int(now.timestamp()),
        source=Source(page_limit=page_limit),
        followers=settings.followers_count,
        unconfirmed=unconfirmed,
        calls_left=calls_left(settings.pk, now).calls,
        asked=True,
    )


def finish_count(held: Claim, reported: int) -> None:
    """The end of a run that could read only the count, since the app has no list endpoint."""
    with transaction.atomic():
        claims.fence(held)
        gate.ask(held.account_id, Scope.FOLLOWERS)
        settings = SyncSettings.objects.select_for_update().get(pk=held.account_id)
        now = clock.now()
        settings.reported = reported
        _close(held, settings, now, mode=Mode.COUNT, raised=claims.added(calls=1))
        _snapshot(held, settings, now, 0, Mode.COUNT, {})
        settings.next_due_at = next_due(settings, now)
        _answer_bell(held, settings, held.run.started_at, now)
        settings.save()


def _answer_bell(
    held: Claim, settings: SyncSettings, begun_at: datetime | None, now: datetime
) -> None:
    """Whoever rang while the run was open may mean what it did not see: look again.

    At once; but where the run was itself an answer, the bells may be a storm, and it is let pass.
    """
    if settings.rung_at is None or begun_at is None or settings.rung_at <= begun_at:
        return
    if held.run.trigger == Trigger.WEBHOOK:
        settings.next_due_at = now + DEBOUNCE
        return
    run = SyncRun.objects.create(
        account_id=settings.pk, trigger=Trigger.WEBHOOK, created_at=now, rung_at=now
    )
    enqueue(claims.TASK, run.pk)


def next_due(
    settings: SyncSettings,
    now: datetime,
    *,
    second_look_in: int | None = None,
    campaign_open: bool = False,
) -> datetime:
    """When the account is due again, after its own rate of change and the member's interval."""
    counted = FollowerSnapshot.objects.filter(
        account_id=settings.pk, at__gt=now - CHANGES_OVER
    ).aggregate(all=Sum("gained") + Sum("lost") + Sum("returned") + Sum("found"))
    waits = settings.not_before if settings.not_before and settings.not_before > now else None
    seconds = schedule.next_due(
        now=int(now.timestamp()),
        interval_minutes=settings.interval_minutes,
        changes_per_day=(counted["all"] or 0) / CHANGES_OVER.days,
        failures=settings.failures,
        not_before=int(waits.timestamp()) if waits else None,
        second_look_in=second_look_in,
        campaign_open=campaign_open,
        jitter=random.random(),  # noqa: S311
    )
    return store.moment(seconds)


def _close(
    held: Claim, settings: SyncSettings, now: datetime, *, mode: str, raised: dict[str, Any]
) -> None:
    settings.last_synced_at = max(now, settings.last_synced_at or now)
    settings.failures = 0
    settings.not_before = None
    closed: dict[str, Any] = {
        "state": SyncRun.State.SUCCEEDED,
        "finished_at": now,
        "worker": None,
        "mode": mode,
        "heartbeat_at": now,
    }
    claims.fence(held, **raised, **closed)


def _snapshot(
    held: Claim,
    settings: SyncSettings,
    now: datetime,
    unconfirmed: int,
    mode: str,
    evidence: dict[str, Any],
) -> None:
    run = SyncRun.objects.get(pk=held.run_id)
    FollowerSnapshot.objects.create(
        account_id=held.account_id,
        run_id=run.pk,
        at=now,
        mode=mode,
        position=settings.head,
        followers=settings.followers_count,
        reported=settings.reported,
        unconfirmed=unconfirmed,
        gained=run.gained,
        found=run.found,
        lost=run.lost,
        returned=run.returned,
        renamed=run.renamed,
        complete=settings.complete,
        digest=settings.digest,
        evidence=evidence,
    )


def _evidence(done: Finished) -> dict[str, Any]:
    found = asdict(done.evidence)
    found["why"] = str(done.why.value) if done.why else None
    found["spoiled"] = {str(reason): pages for reason, pages in found["spoiled"].items()}
    return found
