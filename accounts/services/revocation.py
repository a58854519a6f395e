"""Revokes a token: here at once, at Instagram as far as possible."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from django.db import transaction

from accounts.errors import ThreadsiteError
from accounts.instagram import gateway
from accounts.models import AccessToken, LinkedAccount
from accounts.services import tokens

# Unlinking is done once the token is deleted here; it does not wait for Instagram.
TIMEOUT_SECONDS: Final = 3.0

logger = logging.getLogger(__name__)


def end_token(*, account: LinkedAccount, revoke_at_instagram: bool) -> None:
    """Destroy the account's token now, and revoke it at Instagram after the commit.

    A token that can no longer be decrypted must not keep anybody from leaving.
    """
    secret: str | None = None
    try:
        with transaction.atomic():
            secret = tokens.destroy(account=account)
    except ThreadsiteError as error:
        logger.warning("token of account %d could not be read: %s", account.pk, error.code)
        AccessToken.objects.filter(account=account).delete()
    if secret and revoke_at_instagram:
        transaction.on_commit(lambda: _revoke(secret))


def _revoke(secret: str) -> None:
    """Best effort: the token is deleted here whether or not Instagram answers."""
    instagram = replace(gateway.from_settings(), timeout=TIMEOUT_SECONDS)
    for call in (instagram.unsubscribe, instagram.revoke):
        try:
            call(secret)
        except ThreadsiteError as error:
            logger.info("revoking at Instagram: %s", error.code)
