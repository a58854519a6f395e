"""Leaving from Instagram's side: a signed request tells whose app was removed or data is to go.

Which of its two ids Instagram names, and with which of the app's two secrets it signs, is not
documented: either is accepted. There is no nonce, so a replay must do no harm: the same signed
request gets the same code for as long as it would still be taken, and one that was issued before
the account was linked (again) says nothing about that link.
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
#: A clock that goes ahead of ours by more is wrong; a request that is older is a replay.
AHEAD: Final = timedelta(minutes=10)
BEHIND: Final = timedelta(days=7)
#: Instagram's clock and ours: a request this little older than the link may still be about it.
CLOCKS_DIFFER: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Wish:
    """What Instagram signed: whose account, when, and a mark by which a replay is known.

    The mark is drawn from the signed part alone: the padding of the signature may differ.
    """

    user_id: str
    issued_at: datetime
    mark: str


def deauthorize(*, signed_request: str) -> DeletionRequest | None:
    """Unlink and erase, as if the member had done it here; None if nothing is linked.

    Raises InvalidInput for a request that Instagram did not sign, or not lately.
    """
    wish = _verified(signed_request)
    known = _known(wish)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            live = _accounts(wish).filter(unlinked_at=None).first()
            return _erase(live, wish) if live else None
    except IntegrityError:
        return _known(wish)


def delete_data(*, signed_request: str) -> DeletionRequest:
    """Have everything of the account erased now, also where it was to wait for a grace period.

    Whom we do not know gets a code too, and a page that says that nothing was held. Raises
    InvalidInput for a request that Instagram did not sign, or not lately.
    """
    wish = _verified(signed_request)
    known = _known(wish)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return _delete(wish)
    except IntegrityError:
        # The same request came twice in one moment: the other one made it.
        return DeletionRequest.objects.get(callback_digest=wish.mark)


def _delete(wish: Wish) -> DeletionRequest:
    found = list(_accounts(wish).order_by("unlinked_at", "pk").reverse())
    if not found:
        return erasure.record_nothing_held(channel=CHANNEL, callback_digest=wish.mark)
    newest, *older = found
    deletion = _erase(newest, wish)
    for account in older:
        erasure.request_account_erasure(account=account, channel=CHANNEL)
    return deletion


def _erase(account: LinkedAccount, wish: Wish) -> DeletionRequest:
    """Ask for the erasure, and keep the mark with it so that a replay is answered by it."""
    deletion = erasure.request_account_erasure(account=account, channel=CHANNEL)
    if deletion.callback_digest is None:
        deletion.callback_digest = wish.mark
        deletion.save(update_fields=["callback_digest"])
    return deletion


def _known(wish: Wish) -> DeletionRequest | None:
    return DeletionRequest.objects.filter(callback_digest=wish.mark).first()


def _accounts(wish: Wish) -> QuerySet[LinkedAccount]:
    named = Q(instagram_id=wish.user_id) | Q(app_scoped_id=wish.user_id)
    return LinkedAccount.objects.filter(named, linked_at__lte=wish.issued_at + CLOCKS_DIFFER)


def _verified(signed_request: str) -> Wish:
    """The user id is a number in one of Meta's own vectors, a text in others."""
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
    return Wish(str(user_id), issued_at, mark)


def _is_id(user_id: str | int) -> bool:
    """Something, and nothing that a database column refuses to be compared with."""
    return bool(str(user_id)) and str(user_id).isprintable()


def _moment(issued_at: object) -> datetime:
    """When it was issued. Raises InvalidInput if it does not say, or says something absurd."""
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
