"""Instagram's tokens: encrypted, refreshed in time, destroyed at once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Mod

from accounts import clock, crypto
from accounts.errors import (
    NeedsReconnect,
    PermissionMissing,
    RetryLater,
    UnlinkedByInstagram,
    WaitUntil,
)
from accounts.instagram import gateway
from accounts.instagram.gateway import LongLivedToken
from accounts.models import AccessToken, LinkedAccount
from accounts.services import link_state

# Meta refreshes no token younger than this, and none that has expired (60 days after its issue).
# https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token
YOUNGEST: Final = timedelta(hours=24)
# So early that an outage of two weeks breaks no link; spread over a further week by the account's
# number, so that accounts linked on one day are not refreshed on one day.
AHEAD: Final = timedelta(days=14)
SPREAD_DAYS: Final = 7

logger = logging.getLogger(__name__)


def usable_token(account_id: int) -> str:
    """The token in clear, for the very next request only. Raises NeedsReconnect."""
    stored = AccessToken.objects.filter(account_id=account_id).first()
    if stored is None:
        raise NeedsReconnect("no_token")
    return read(stored.ciphertext, stored.expires_at, clock.now())


def read(ciphertext: str | None, expires_at: datetime | None, now: datetime) -> str:
    """Decrypt the stored token. Raises NeedsReconnect."""
    if ciphertext is None or expires_at is None:
        raise NeedsReconnect("no_token")
    if expires_at <= now:
        raise NeedsReconnect("expired")
    return crypto.decrypt(ciphertext)


def store(*, account: LinkedAccount, token: LongLivedToken) -> None:
    """Store a new token in place of the older one. Never stores an empty one."""
    if not token.access_token or token.expires_in <= 0:
        raise NeedsReconnect("no_token")
    moment = clock.now()
    stored, created = AccessToken.objects.get_or_create(
        account=account,
        defaults={
            "ciphertext": crypto.encrypt(token.access_token),
            "issued_at": moment,
            "expires_at": moment + timedelta(seconds=token.expires_in),
        },
    )
    if not created:
        AccessToken.objects.filter(pk=stored.pk).update(
            ciphertext=crypto.encrypt(token.access_token),
            issued_at=moment,
            expires_at=moment + timedelta(seconds=token.expires_in),
            refreshed_at=None,
            version=F("version") + 1,
        )


def destroy(*, account: LinkedAccount) -> str | None:
    """Delete the token. Returns it in clear, for one last call that revokes it."""
    stored = AccessToken.objects.select_for_update().filter(account=account).first()
    if stored is None:
        return None
    stored.delete()
    return crypto.decrypt(stored.ciphertext)


def refresh_due(limit: int = 500) -> list[int]:
    """Accounts whose token should be refreshed now, the earliest expiry first.

    Paused accounts are included: a refresh reads nothing, and without it the pause would end with a
    broken link.
    """
    moment = clock.now()
    near = Q()
    for day in range(SPREAD_DAYS):
        near |= Q(spread=day, expires_at__lte=moment + AHEAD + timedelta(days=day))
    return list(
        _live_tokens()
        .alias(used_since=Coalesce("refreshed_at", "issued_at"))
        .alias(spread=Mod(F("account_id"), SPREAD_DAYS))
        .filter(near, used_since__lte=moment - YOUNGEST, expires_at__gt=moment)
        .order_by("expires_at")
        .values_list("account_id", flat=True)[:limit]
    )


def mark_expired(limit: int = 500) -> int:
    """Mark accounts whose token has expired: they need the member, and would fail later."""
    dead = LinkedAccount.objects.filter(
        unlinked_at__isnull=True,
        needs_reconnect_since__isnull=True,
        access_token__expires_at__lte=clock.now(),
    ).order_by("pk")[:limit]
    for account in dead:
        link_state.mark_needs_reconnect(account=account, reason="expired")
    return len(dead)


def refresh(account_id: int) -> bool:
    """Replace the account's token by a fresh one; True if this call did it.

    Claims the row by its version first, so that two workers never use the same token. The new token
    is stored only if nobody replaced or destroyed the row meanwhile. A temporary error changes
    nothing; an invalid token marks the account; 190/458 is raised for the caller to unlink.
    """
    stored = _live_tokens().filter(account_id=account_id).first()
    if stored is None or not _old_enough(stored):
        return False
    claimed = AccessToken.objects.filter(pk=stored.pk, version=stored.version)
    if claimed.update(version=F("version") + 1) != 1:
        return False
    try:
        fresh = gateway.from_settings().refresh(crypto.decrypt(stored.ciphertext))
    except (RetryLater, WaitUntil, PermissionMissing) as error:
        logger.info("token of account %d not refreshed: %s", account_id, error.code)
        return False
    except UnlinkedByInstagram:
        raise
    except NeedsReconnect as error:
        link_state.mark_needs_reconnect(account=stored.account, reason=error.reason)
        return False
    return _replace(stored, fresh)


@transaction.atomic
def _replace(stored: AccessToken, fresh: LongLivedToken) -> bool:
    moment = clock.now()
    return (
        AccessToken.objects.filter(pk=stored.pk, version=stored.version + 1).update(
            ciphertext=crypto.encrypt(fresh.access_token),
            expires_at=moment + timedelta(seconds=fresh.expires_in),
            refreshed_at=moment,
            version=F("version") + 1,
        )
        == 1
    )


def _live_tokens() -> QuerySet[AccessToken]:
    return AccessToken.objects.select_related("account").filter(
        account__unlinked_at__isnull=True, account__needs_reconnect_since__isnull=True
    )


def _old_enough(stored: AccessToken) -> bool:
    moment = clock.now()
    used_since = stored.refreshed_at or stored.issued_at
    return used_since <= moment - YOUNGEST and stored.expires_at > moment
