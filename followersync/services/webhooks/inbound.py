"""Inbound webhooks: each event wakes its accounts once; many events cause one head scan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from django.core.cache import cache
from django.db import transaction

from accounts import signals
from accounts.selectors import accounts_by_instagram_id

if TYPE_CHECKING:
    from accounts.instagram.events import Event

#: Meta resends for 36 hours; longer, so that no event is handled twice.
REMEMBERED_SECONDS: Final = 48 * 3600


def receive(events: Iterable[Event]) -> int:
    """Wake the linked accounts that new events name; returns how many.

    Events of accounts that nobody has linked, or that came before, are dropped.
    """
    named = dict.fromkeys(event.instagram_id for event in events if _is_new(event))
    woken = 0
    for instagram_id in named:
        for account in accounts_by_instagram_id(instagram_id).filter(
            unlinked_at=None, paused_at=None, needs_reconnect_since=None
        ):
            with transaction.atomic():
                signals.webhook_received.send(sender=None, account=account)
            woken += 1
    return woken


def _is_new(event: Event) -> bool:
    return cache.add(f"instagram-event:{event.key}", 1, timeout=REMEMBERED_SECONDS)
