"""Carries out erasures in slices that survive a killed worker.

A slice has a lease on the request's row; each batch of deletions commits together with its count
and the lease's renewal, so that nothing is counted twice and no two workers run at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from accounts import clock
from accounts.files.storage import StorageFailed
from accounts.models import DeletionRequest, ErasureNeedle, LinkedAccount, User
from accounts.queue import new_worker_id
from accounts.services.erasure import completion, erasure_list, identifiers
from accounts.services.erasure.scrub import Target
from accounts.services.erasure.steps import Step, steps

LEASE = timedelta(minutes=2)
#: Large enough that counting costs little beside deleting, small enough to commit often.
BATCH_ROWS = 50_000
SLICE_SECONDS = 20.0
MOST_FAILURES = 8
RETRY = timedelta(minutes=2)
#: Lifetime of needles until an erasure ends; completion sets the nightly search's.
IDENTIFIER_HASH_DAYS = 365

log = logging.getLogger(__name__)
State = DeletionRequest.State


class LeaseLost(Exception):
    """Another worker took over the erasure; this one stops and changes nothing more."""


def due() -> list[int]:
    """Open erasures without a lease whose time has come, oldest first."""
    now = clock.now()
    return list(
        DeletionRequest.objects.filter(
            _free(now), state__in=[State.SCHEDULED, State.REQUESTED, State.RUNNING]
        )
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def advance(
    deletion_id: int, *, max_seconds: float = SLICE_SECONDS, batch: int = BATCH_ROWS
) -> bool:
    """Work on the erasure for about `max_seconds`; True if there is more to do at once.

    An error never escapes: it is counted, the erasure waits longer each time, and in the end it is
    marked as failed, for staff.
    """
    deletion = _claim(deletion_id)
    if deletion is None:
        return False
    try:
        return _slice(deletion, time.monotonic() + max_seconds, batch)
    except LeaseLost:
        return False
    except StorageFailed as error:
        log.warning("Erasure %s waits: %s", deletion.pk, error)
        _wait(deletion, error.code)
        return False
    except Exception as error:
        log.exception("Erasure %s failed and will be tried again", deletion.pk)
        _note_failure(deletion, type(error).__name__)
        return False


def target_of(deletion: DeletionRequest) -> Target:
    """Who is to be erased; a scope's erasure searches no words, since the account stays."""
    owner_id = deletion.owner_id or 0
    accounts = LinkedAccount.objects.filter(owner_id=owner_id)
    if not deletion.everything:
        accounts = accounts.filter(pk=deletion.account_id or 0)
    return Target(
        owner_id=owner_id,
        account_ids=frozenset(accounts.values_list("pk", flat=True)),
        everything=deletion.everything,
        needles={bytes(n.digest): n.what for n in deletion.needles.all()},
    )


def _free(now: object) -> Q:
    waited = Q(not_before__isnull=True) | Q(not_before__lte=now)
    return waited & (Q(claimed_until__isnull=True) | Q(claimed_until__lt=now))


def _claim(deletion_id: int) -> DeletionRequest | None:
    """Take the lease by one conditional UPDATE; None if it is taken or not due."""
    now = clock.now()
    worker = new_worker_id()
    claimed = DeletionRequest.objects.filter(
        _free(now),
        pk=deletion_id,
        state__in=[State.SCHEDULED, State.REQUESTED, State.RUNNING],
    ).update(
        state=State.RUNNING,
        worker=worker,
        claimed_until=now + clock.for_real(LEASE),
        attempts=F("attempts") + 1,
    )
    if not claimed:
        return None
    DeletionRequest.objects.filter(pk=deletion_id, started_at=None).update(started_at=now)
    return DeletionRequest.objects.get(pk=deletion_id)


def end_leases(lowest: UUID, highest: UUID) -> int:
    """End the leases of workers known to be dead."""
    return DeletionRequest.objects.filter(
        state=State.RUNNING, worker__gte=lowest, worker__lte=highest
    ).update(claimed_until=None)


def _slice(deletion: DeletionRequest, until: float, batch: int) -> bool:
    for earlier in _children(deletion):
        advance(earlier, max_seconds=max(0.0, until - time.monotonic()), batch=batch)
    if _children(deletion):
        _release(deletion)
        return time.monotonic() >= until
    _keep_needles(deletion)
    target = target_of(deletion)
    erasure_list.prepare(deletion, target)
    for step in _unfinished(deletion, target):
        while _batch(deletion, step, batch):
            if time.monotonic() >= until:
                _release(deletion)
                return True
    erasure_list.ship()
    with transaction.atomic():
        _renew(deletion)
        completion.finish(deletion, target)
    return False


def _children(deletion: DeletionRequest) -> list[int]:
    """Erasures of single accounts that were open when the member requested a full one."""
    if not deletion.everything:
        return []
    return list(
        DeletionRequest.objects.filter(owner_id=deletion.owner_id, state__in=DeletionRequest.OPEN)
        .exclude(Q(pk=deletion.pk) | Q(state=State.FAILED))
        .values_list("pk", flat=True)
    )


def _unfinished(deletion: DeletionRequest, target: Target) -> Iterator[Step]:
    for step in steps(deletion, target):
        if not (step.once and step.kind in deletion.erased):
            yield step


def _batch(deletion: DeletionRequest, step: Step, limit: int) -> bool:
    """Commit one batch, its count and the lease's renewal together; False when it is done."""
    with transaction.atomic():
        erased = step.erase(limit)
        counts = dict(deletion.erased)
        if erased or step.once:
            counts[step.kind] = counts.get(step.kind, 0) + erased
        _renew(deletion, erased=counts)
    deletion.erased = counts
    return bool(erased) and not step.once


@transaction.atomic
def _keep_needles(deletion: DeletionRequest) -> None:
    """Hash the person's words while the rows that contain them exist."""
    if deletion.scope or deletion.needles.exists():
        return
    if deletion.everything:
        owner = User.objects.filter(pk=deletion.owner_id or 0).first()
        found = identifiers.words_of_member(owner) if owner else {}
    else:
        account = LinkedAccount.objects.filter(pk=deletion.account_id or 0).first()
        found = identifiers.words_of_account(account) if account else {}
    until = clock.now() + timedelta(days=IDENTIFIER_HASH_DAYS)
    ErasureNeedle.objects.bulk_create(
        ErasureNeedle(
            deletion=deletion,
            what=what,
            digest=identifiers.needle(word),
            length=len(word),
            until=until,
        )
        for word, what in found.items()
    )


def _renew(deletion: DeletionRequest, **fields: object) -> None:
    """Raises LeaseLost, which rolls the batch back, if another worker has taken over."""
    renewed = DeletionRequest.objects.filter(
        pk=deletion.pk, worker=deletion.worker, state=State.RUNNING
    ).update(claimed_until=clock.now() + clock.for_real(LEASE), **fields)
    if not renewed:
        raise LeaseLost


def _release(deletion: DeletionRequest) -> None:
    DeletionRequest.objects.filter(pk=deletion.pk, worker=deletion.worker).update(
        claimed_until=None, failures=0
    )


def _wait(deletion: DeletionRequest, code: str) -> None:
    """A storage does not answer: wait without counting a failure."""
    DeletionRequest.objects.filter(pk=deletion.pk, worker=deletion.worker).update(
        error_code=code, claimed_until=None, not_before=clock.now() + clock.for_real(RETRY)
    )


def _note_failure(deletion: DeletionRequest, code: str) -> None:
    """Wait 1, 2, 4 … minutes; fail for good in the end."""
    failures = deletion.failures + 1
    DeletionRequest.objects.filter(pk=deletion.pk, worker=deletion.worker).update(
        failures=failures,
        error_code=code[:60],
        claimed_until=None,
        not_before=clock.now() + timedelta(minutes=2 ** min(failures - 1, 8)),
        state=State.FAILED if failures >= MOST_FAILURES else State.RUNNING,
    )
