"""Instagram's deauthorize and data-deletion callbacks: verified, then unlink or erase.

It is not documented which of its two ids Instagram names, and with which of the app's two secrets
it signs: either is accepted. There is no nonce, so a replay must do no harm: the same signed
request gets the same code for as long as it is accepted, and one issued before the account was
linked (again) does not apply to that link.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.errors import InvalidInput
from accounts.instagram import signatures
from accounts.models import DeletionRequest, LinkedAccount
from accounts.services import erasure

if TYPE_CHECKING:
    from django.db.models import QuerySet

CHANNEL: Final = DeletionRequest.Channel.INSTAGRAM
#: A clock ahead of ours by more is wrong; an older request is a replay.
AHEAD: Final = timedelta(minutes=10)
BEHIND: Final = timedelta(days=7)
#: Instagram's clock and ours: a request this little older than the link may still be about it.
CLOCKS_DIFFER: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class SignedCallback:
    """The content of a signed request: account, time, and a mark that identifies a replay.

    The mark is computed from the signed part only: the padding of the signature may differ.
    """

    user_id: str
    issued_at: datetime
    mark: str


def deauthorize(*, signed_request: str) -> DeletionRequest | None:
    """Unlink and erase, as if the member had done it here; None if nothing is linked.

    Raises InvalidInput for a request not signed by Instagram, or too old.
    """
    callback = _verified(signed_request)
    known = _known(callback)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            live = _accounts(callback).filter(unlinked_at=None).first()
            return _erase(live, callback) if live else None
    except IntegrityError:
        return _known(callback)


def delete_data(*, signed_request: str) -> DeletionRequest:
    """Erase the account now, even if it was waiting for a grace period.

    An unknown account gets a code too, and a page that says that nothing was stored. Raises
    InvalidInput for a request not signed by Instagram, or too old.
    """
    callback = _verified(signed_request)
    known = _known(callback)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return _delete(callback)
    except IntegrityError:
        # The same request came twice at once: the other one was stored.
        return DeletionRequest.objects.get(callback_digest=callback.mark)


def _delete(callback: SignedCallback) -> DeletionRequest:
    found = list(_accounts(callback).order_by("unlinked_at", "pk").reverse())
    if not found:
        return erasure.record_nothing_held(channel=CHANNEL, callback_digest=callback.mark)
    newest, *older = found
    deletion = _erase(newest, callback)
    for account in older:
        erasure.request_account_erasure(account=account, channel=CHANNEL)
    return deletion


def _erase(account: LinkedAccount, callback: SignedCallback) -> DeletionRequest:
    """Request the erasure, and store the mark with it so that a replay finds it."""
    deletion = erasure.request_account_erasure(account=account, channel=CHANNEL)
    if deletion.callback_digest is None:
        deletion.callback_digest = callback.mark
        deletion.save(update_fields=["callback_digest"])
    return deletion


def _known(callback: SignedCallback) -> DeletionRequest | None:
    return DeletionRequest.objects.filter(callback_digest=callback.mark).first()


def _accounts(callback: SignedCallback) -> QuerySet[LinkedAccount]:
    named = Q(instagram_id=callback.user_id) | Q(app_scoped_id=callback.user_id)
    return LinkedAccount.objects.filter(named, linked_at__lte=callback.issued_at + CLOCKS_DIFFER)


def _verified(signed_request: str) -> SignedCallback:
    """The user id is a number in one of Meta's own samples, a string in others."""
    secrets = (settings.INSTAGRAM_CLIENT_SECRET, settings.INSTAGRAM_APP_SECRET)
    given = signed_request.strip()
    try:
        payload = signatures.parse_signed_request(given, secrets)
    except signatures.BadSignature as error:
        raise InvalidInput(
            "bad_signed_request",
            _("The signed request was not signed by Instagram for this app: {reason}.").format(
                reason=error
            ),
            field="signed_request",
        ) from None
    issued_at = _moment(payload.get("issued_at"))
    user_id = payload.get("user_id")
    if isinstance(user_id, bool) or not isinstance(user_id, (str, int)) or not _is_id(user_id):
        raise InvalidInput(
            "user_id_missing", _("The signed request names no user."), field="signed_request"
        )
    mark = hashlib.sha256(given.partition(".")[2].encode()).hexdigest()
    return SignedCallback(str(user_id), issued_at, mark)


def _is_id(user_id: str | int) -> bool:
    """Whether it is a non-empty id that a database column can be compared with."""
    return bool(str(user_id)) and str(user_id).isprintable()


def _moment(issued_at: object) -> datetime:
    """When it was issued. Raises InvalidInput if this is missing or absurd."""
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
    return moment
