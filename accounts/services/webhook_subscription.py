"""Subscribes linked accounts to Instagram's webhooks, and unsubscribes them.

Needed only if the operator has set up Instagram's webhooks. Best effort: without webhooks the
account is synced by its interval.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from accounts import clock
from accounts.instagram import gateway
from accounts.models import LinkedAccount
from accounts.scopes import Scope
from accounts.selectors import consent_in_force, in_force
from accounts.services import gate, tokens

# No field reports followers; this one comes whenever an account is active. Only the fact that a
# webhook came is stored.
FIELDS: Final = ("comments",)


def subscribe(account_id: int) -> bool:
    """Subscribe this account to Instagram's webhooks; True if this call did it.

    Raises as `gate.check` and the gateway do.
    """
    if not settings.INSTAGRAM_WEBHOOK_VERIFY_TOKEN:
        return False
    account = gate.check(account_id, Scope.FOLLOWERS)
    if not account.is_proven or account.webhooks_since:
        return False
    gateway.from_settings().subscribe(tokens.usable_token(account_id), FIELDS)
    # Not if it was unlinked meanwhile, which unsubscribes by itself.
    return _live().filter(pk=account_id).update(webhooks_since=clock.now()) == 1


def unsubscribe(account_id: int) -> bool:
    """End webhooks if the list may no longer be read; True if this call ended it.

    Unlinking needs no such call: it unsubscribes before it deletes the token.
    """
    subscribed = _live().filter(pk=account_id, webhooks_since__isnull=False)
    if consent_in_force(account_id, Scope.FOLLOWERS) or not subscribed.exists():
        return False
    gateway.from_settings().unsubscribe(tokens.usable_token(account_id))
    return subscribed.update(webhooks_since=None) == 1


def due(limit: int = 500) -> list[int]:
    """Accounts without webhooks that may have them: failures are tried again each night."""
    if not settings.INSTAGRAM_WEBHOOK_VERIFY_TOKEN:
        return []
    silent = _live().filter(
        in_force(Scope.FOLLOWERS, '"accounts_linkedaccount"."id"'),
        webhooks_since=None,
        paused_at=None,
        needs_reconnect_since=None,
        access_token__isnull=False,
    )
    return list(silent.order_by("pk").values_list("pk", flat=True)[:limit])


def _live() -> QuerySet[LinkedAccount]:
    return LinkedAccount.objects.filter(kind=LinkedAccount.Kind.OAUTH, unlinked_at=None)
