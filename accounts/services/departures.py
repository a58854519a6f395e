"""Leaving from Instagram's side: a signed request tells whose app was removed or data is to go.

Which of its two ids Instagram names, and with which of the app's two secrets it signs, is not
documented: either is accepted. There is no nonce, so a replay must do no harm: the same signed
request gets the same code for as long as it would still be taken.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.errors import InvalidInput
from accounts.instagram import signatures
from accounts.models import DeletionRequest, LinkedAccount
from accounts.services import erasure

CHANNEL: Final = DeletionRequest.Channel.INSTAGRAM
#: A clock that goes ahead of ours by more is wrong; a request that is older is a replay.
AHEAD: Final = timedelta(minutes=10)
BEHIND: Final = timedelta(days=7)


def deauthorize(*, signed_request: str) -> DeletionRequest | None:
    """Unlink and erase, as if the member had done it here; None if nothing is linked.

    Raises InvalidInput for a request that Instagram did not sign, or not lately.
    """
    user_id = _verified(signed_request)
    live = _accounts(user_id).filter(unlinked_at=None).first()
    if live is None:
        return None
    return erasure.request_account_erasure(account=live, channel=CHANNEL)


def delete_data(*, signed_request: str) -> DeletionRequest:
    """Have everything of the account erased now, also where it was to wait for a grace period.

    Whom we do not know gets a code too, and a page that says that nothing was held. Raises
    InvalidInput for a request that Instagram did not sign, or not lately.
    """
    user_id = _verified(signed_request)
    digest = hashlib.sha256(signed_request.strip().encode()).hexdigest()
    known = DeletionRequest.objects.filter(callback_digest=digest).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return _delete(user_id, digest)
    except IntegrityError:
        # The same request came twice in one moment: the other one made it.
        return DeletionRequest.objects.get(callback_digest=digest)


def _delete(user_id: str, digest: str) -> DeletionRequest:
    found = list(_accounts(user_id).order_by("unlinked_at", "pk").reverse())
    if not found:
        return erasure.record_nothing_held(channel=CHANNEL, callback_digest=digest)
    deletions = [erasure.request_account_erasure(account=a, channel=CHANNEL) for a in found]
    deletion = deletions[0]
    if deletion.callback_digest is None:
        deletion.callback_digest = digest
        deletion.save(update_fields=["callback_digest"])
    return deletion


def _accounts(user_id: str) -> Any:
    return LinkedAccount.objects.filter(Q(instagram_id=user_id) | Q(app_scoped_id=user_id))


def _verified(signed_request: str) -> str:
    """The user id that Instagram names. A number in one of Meta's own vectors, a text in others."""
    secrets = (settings.INSTAGRAM_CLIENT_SECRET, settings.INSTAGRAM_APP_SECRET)
    try:
        payload = signatures.parse_signed_request(signed_request.strip(), secrets)
    except signatures.BadSignature as error:
        raise InvalidInput(
            "bad_signed_request",
            _("The signed request was not signed by Instagram for this app: {reason}.").format(
                reason=error
            ),
            field="signed_request",
        ) from None
    _check_age(payload.get("issued_at"))
    user_id = payload.get("user_id")
    if isinstance(user_id, bool) or not isinstance(user_id, (str, int)) or not str(user_id):
        raise InvalidInput(
            "user_id_missing", _("The signed request names no user."), field="signed_request"
        )
    return str(user_id)


def _check_age(issued_at: object) -> None:
    now = clock.now()
    if isinstance(issued_at, bool) or not isinstance(issued_at, (int, float)):
        raise InvalidInput(
            "issued_at_missing",
            _("The signed request does not say when it was issued."),
            field="signed_request",
        )
    try:
        moment = datetime.fromtimestamp(issued_at, UTC)
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None or not now - BEHIND <= moment <= now + AHEAD:
        raise InvalidInput(
            "issued_at_absurd",
            _("The signed request was issued too long ago, or in the future."),
            field="signed_request",
        )
