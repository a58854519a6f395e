"""Outbound webhooks (Standard Webhooks): notify members' programs of new feed entries.

A message has the feed's position, never a follower: the program fetches those with its token.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts import clock, counters, crypto
from accounts.errors import Conflict, NotFound, RetryLater
from accounts.queue import enqueue
from accounts.services import programs
from followersync.models import SyncSettings, WebhookMark, WebhookSubscription
from followersync.services import outbound_slots
from followersync.services.webhooks import http

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

MOST_PER_MEMBER: Final = 10
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=12)
#: With waits doubling up to 12 hours, this is about four days of failures.
GIVE_UP_AFTER: Final = 16
ACCOUNTS_A_TURN: Final = 20
#: No message is started after this; the queue ends a task after 120 s.
TURN_SECONDS: Final = 60.0
TASK: Final = "followersync.tasks.notify_subscription"
#: The scopes that a program needs for a webhook.
SCOPE: Final = "accounts:write"


def subscriptions_of(owner: User, *, program: str = "") -> QuerySet[WebhookSubscription]:
    """The member's; for a program only those that it made: an address may be a secret itself."""
    mine = WebhookSubscription.objects.filter(owner=owner)
    return mine.filter(program=program) if program else mine


def subscription_of(owner: User, subscription_id: int, *, program: str = "") -> WebhookSubscription:
    """Raises NotFound for another member's, and for a program for another's."""
    found = subscriptions_of(owner, program=program).filter(pk=subscription_id).first()
    if found is None:
        raise NotFound
    return found


@transaction.atomic
def subscribe(*, owner: User, url: str, program: str = "") -> tuple[WebhookSubscription, str]:
    """The subscription and its secret, which is shown only this once.

    Raises InvalidInput for an invalid address, Conflict for a duplicate, or for too many.
    """
    http.check_address(url)
    if subscriptions_of(owner).count() >= MOST_PER_MEMBER:
        raise Conflict("too_many_webhooks", _("You have as many webhooks as possible. Remove one."))
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    try:
        with transaction.atomic():
            made = WebhookSubscription.objects.create(
                owner=owner,
                url=url,
                secret=crypto.encrypt(secret),
                program=program,
                created_at=clock.now(),
            )
    except IntegrityError:
        raise Conflict(
            "webhook_exists",
            _("This address is told already. Remove it to get a new secret."),
        ) from None
    enqueue(TASK, made.pk)
    return made, secret


def enable(*, subscription: WebhookSubscription, enabled: bool) -> WebhookSubscription:
    """Disable it, or enable it with its failures reset."""
    subscription.disabled_at = None if enabled else clock.now()
    subscription.disabled_reason = "" if enabled else "by_member"
    subscription.failures, subscription.next_attempt_at = 0, None
    subscription.save(
        update_fields=["disabled_at", "disabled_reason", "failures", "next_attempt_at"]
    )
    return subscription


def tick(limit: int = 500) -> int:
    """Enqueue every subscription that has news; returns how many."""
    now = clock.now()
    waiting = (
        WebhookSubscription.objects.filter(_free(now), Exists(_news(OuterRef("pk"))))
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )
    due = list(waiting)
    for subscription_id in due:
        enqueue(TASK, subscription_id)
    return len(due)


def notify(subscription_id: int) -> bool:
    """Send one subscription its news; True if more is waiting. One worker at a time."""
    mine = WebhookSubscription.objects.filter(pk=subscription_id)
    subscription = mine.filter(_free(clock.now())).first()
    if subscription is None:
        return False
    of_owner = WebhookSubscription.objects.filter(owner_id=subscription.owner_id)
    if not outbound_slots.take(mine, owner_id=subscription.owner_id, jobs_of_owner=of_owner):
        return False
    try:
        return _notify(subscription)
    finally:
        outbound_slots.give_back(mine)


def _notify(subscription: WebhookSubscription) -> bool:
    program = subscription.program
    if program and not programs.has_access(subscription.owner_id, program, SCOPE):
        _disable(subscription, "shut_out")
        return False
    until = time.monotonic() + TURN_SECONDS
    news = list(_news(subscription.pk)[: ACCOUNTS_A_TURN + 1])
    for told, settings in enumerate(news[:ACCOUNTS_A_TURN]):
        if told and time.monotonic() >= until:
            return True
        try:
            _send(subscription, settings)
        except RetryLater as error:
            _failed(subscription, str(error.detail))
            return False
        if subscription.disabled_at:
            return False
    return len(news) > ACCOUNTS_A_TURN


def _free(now: datetime) -> Q:
    due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    return Q(disabled_at=None) & due & (Q(leased_until=None) | Q(leased_until__lte=now))


def _news(subscription: int | OuterRef) -> QuerySet[SyncSettings]:
    """The member's accounts whose feed has moved since this subscription was notified."""
    inner = OuterRef(subscription) if isinstance(subscription, OuterRef) else subscription
    told = WebhookMark.objects.filter(
        subscription=inner,
        account=OuterRef("pk"),
        epoch=OuterRef("epoch"),
        position=OuterRef("head"),
    )
    return SyncSettings.objects.filter(
        ~Exists(told),
        account__owner__webhook_subscriptions=subscription,
        account__unlinked_at=None,
        baseline_at__isnull=False,
    ).order_by("pk")


def _send(subscription: WebhookSubscription, settings: SyncSettings) -> None:
    """Raises RetryLater unless the target accepted it."""
    told = {"account": settings.pk, "position": settings.head, "epoch": str(settings.epoch)}
    moment = clock.now()
    message = {"type": "changes.available", "timestamp": moment.isoformat(), "data": told}
    body = json.dumps(message, separators=(",", ":")).encode()
    # A repeated message has the same id.
    identity = hashlib.sha256(f"{subscription.pk}:{told}".encode()).hexdigest()[:32]
    secret = crypto.decrypt(subscription.secret)
    headers = signed(f"msg_{identity}", int(clock.wall().timestamp()), body, secret)
    status = http.post(subscription.url, body, headers)
    if status == 410:
        counters.count("webhook_deliveries", outcome="gone")
        _disable(subscription, "gone")
    elif not 200 <= status < 300:
        raise RetryLater(detail=f"status_{status}")
    else:
        counters.count("webhook_deliveries", outcome="ok")
        _delivered(subscription, settings)


def signed(identity: str, timestamp: int, body: bytes, secret: str) -> dict[str, str]:
    """The headers of the Standard Webhooks specification, version 1 (HMAC-SHA256)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{identity}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "Threadsite",
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def _delivered(subscription: WebhookSubscription, settings: SyncSettings) -> None:
    WebhookMark.objects.update_or_create(
        subscription=subscription,
        account_id=settings.pk,
        defaults={"epoch": settings.epoch, "position": settings.head},
    )
    WebhookSubscription.objects.filter(pk=subscription.pk).update(
        failures=0, last_error="", last_delivered_at=clock.now(), next_attempt_at=None
    )


def _failed(subscription: WebhookSubscription, reason: str) -> None:
    counters.count("webhook_deliveries", outcome=reason.lower())
    subscription.failures += 1
    if subscription.failures >= GIVE_UP_AFTER:
        _disable(subscription, "failing")
    wait = min(FIRST_WAIT * 2 ** (subscription.failures - 1), LONGEST_WAIT)
    WebhookSubscription.objects.filter(pk=subscription.pk).update(
        failures=subscription.failures, last_error=reason[:40], next_attempt_at=clock.now() + wait
    )


def _disable(subscription: WebhookSubscription, reason: str) -> None:
    subscription.disabled_at = clock.now()
    WebhookSubscription.objects.filter(pk=subscription.pk).update(
        disabled_at=subscription.disabled_at, disabled_reason=reason
    )
