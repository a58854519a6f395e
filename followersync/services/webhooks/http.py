"""HTTP client of outbound webhooks: one POST to a member's address, never into our own network.

Only the status of the answer is read. `accounts.outbound` checks the address and the time limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput, RetryLater
from accounts.outbound.addresses import is_allowed_url
from accounts.outbound.budget import within
from accounts.outbound.client import OutboundError, client_for_member_url

if TYPE_CHECKING:
    from collections.abc import Mapping

#: For the whole call: the Standard Webhooks specification advises 15 to 30 s.
SECONDS: Final = 15.0
MOST_BYTES: Final = 64 << 10


def check_address(url: str) -> None:
    """Raises InvalidInput for an invalid target: not https, with a password, or in our network."""
    if not is_allowed_url(url, private=settings.WEBHOOKS_TO_PRIVATE_NETWORKS):
        raise InvalidInput(
            "webhook_address_refused",
            _("This address cannot be used. Give a public https address without a password in it."),
            field="url",
        )


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS) -> int:
    """The answer's status. Raises RetryLater if there is none, or the target is not public."""
    if not is_allowed_url(url, private=settings.WEBHOOKS_TO_PRIVATE_NETWORKS):
        # It may have been valid when it was registered: the list of special ranges grows.
        raise RetryLater(detail="address_not_public")
    try:
        with (
            within(seconds=seconds, most_bytes=MOST_BYTES),
            client_for_member_url().send("POST", url, headers=headers, body=body) as answer,
        ):
            return answer.status
    except OutboundError as error:
        raise RetryLater(detail=error.reason) from None
