"""Idempotency keys: a repeated request is carried out once.

A key is claimed before the work and stored with its answer in the work's own transaction: either
both exist or neither. A failure leaves the key free, since it changed nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Min, Q
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.errors import Conflict, InvalidInput, WaitUntil
from accounts.models.idempotency import IdempotencyRecord

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

#: How long an answer is kept, and how long a request may run before its claim expires.
KEPT: Final = timedelta(hours=24)
CLAIM: Final = timedelta(minutes=5)
LONGEST_KEY: Final = 255
#: Per member; exceeded at most by the number of concurrent requests.
MOST_KEPT: Final = 5_000


class TooManyKeys(WaitUntil):
    """Enough answers of the member's are stored already; `at` is when the oldest expires."""

    code = "too_many_idempotency_keys"
    detail = _(
        "As many answers are kept for your idempotency keys as there is room for. Send the request "
        "without a key, or wait."
    )


@dataclass(frozen=True)
class Answer:
    """The first request's answer; `body` is JSON without secrets."""

    status: int
    body: Any
    location: str


@dataclass(frozen=True)
class Claim:
    """The right to do the work, until `keep` or `release`."""

    claim: UUID


def claim(*, user_id: int, key: str, request: bytes) -> Claim | Answer:
    """Claim `key` for the work of `request`, or return the answer stored under it.

    `request` is all that identifies the request: method, route, body. Raises InvalidInput when the
    key was used for another request, Conflict while the first one is still running, TooManyKeys for
    a new key when MOST_KEPT are stored.
    """
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidInput(
            "bad_idempotency_key",
            _("An idempotency key has 1 to 255 printable characters."),
            field="Idempotency-Key",
        )
    now = clock.now()
    mine = IdempotencyRecord.objects.filter(user_id=user_id, key_hash=_hash(key.encode()))
    mine.filter(Q(expires_at__lte=now) | Q(status=None, claimed_at__lte=now - CLAIM)).delete()
    record = IdempotencyRecord(
        user_id=user_id,
        key_hash=_hash(key.encode()),
        request_hash=_hash(request),
        claimed_at=now,
        expires_at=now + KEPT,
    )
    _require_free_key(user_id, record.key_hash, now)
    # ON CONFLICT DO NOTHING reports no rows; the row says whose claim it is.
    IdempotencyRecord.objects.bulk_create([record], ignore_conflicts=True)
    stored = mine.first()
    if stored is not None and stored.claim == record.claim:
        return Claim(stored.claim)
    return _answer_of(stored, record.request_hash)


def _require_free_key(user_id: int, key_hash: str, now: datetime) -> None:
    mine = IdempotencyRecord.objects.filter(user_id=user_id)
    if mine.count() < MOST_KEPT or mine.filter(key_hash=key_hash).exists():
        return
    if mine.filter(expires_at__lte=now).delete()[0] == 0:
        raise TooManyKeys(mine.aggregate(oldest=Min("expires_at"))["oldest"])


def _answer_of(stored: IdempotencyRecord | None, request_hash: str) -> Answer:
    if stored is not None and stored.request_hash != request_hash:
        raise InvalidInput(
            "idempotency_key_reused",
            _("This idempotency key was used for another request. Take a new key for each."),
            field="Idempotency-Key",
        )
    if stored is None or stored.status is None:
        raise Conflict(
            "idempotency_in_progress",
            _("The first request with this idempotency key is still at work. Ask again shortly."),
        )
    return Answer(stored.status, stored.body, stored.location)


def keep(claim: Claim, answer: Answer, *, account_id: int | None = None) -> None:
    """Store the answer, in the work's transaction.

    Raises Conflict, so that the work is rolled back, if the claim has expired meanwhile.
    """
    kept = IdempotencyRecord.objects.filter(claim=claim.claim, status=None).update(
        status=answer.status, body=answer.body, location=answer.location, account_id=account_id
    )
    if kept != 1:
        raise Conflict(
            "idempotency_claim_lost",
            _("This request took too long, and another one took its place. Nothing was changed."),
        )


def release(claim: Claim) -> None:
    """Free the key after a failure."""
    IdempotencyRecord.objects.filter(claim=claim.claim, status=None).delete()


def forget_expired(*, limit: int = 5000) -> int:
    """Delete up to `limit` expired records; returns how many."""
    return _delete(Q(expires_at__lte=clock.now()), limit)


def _delete(which: Q, limit: int) -> int:
    doomed = IdempotencyRecord.objects.filter(which).values_list("pk", flat=True)[:limit]
    return IdempotencyRecord.objects.filter(pk__in=list(doomed)).delete()[0]


def _hash(value: bytes) -> str:
    return sha256(value).hexdigest()
