"""The sandbox's authorization codes and tokens: issuing, expiry and revocation."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.envelopes import refusal
from accounts.instagram.sandbox.messages import Response

BASIC: Final = "instagram_business_basic"
INSIGHTS: Final = "instagram_business_manage_insights"
PERMISSIONS: Final = (
    BASIC,
    INSIGHTS,
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
    "instagram_business_manage_messages",
)
# Reply formats of the code exchange; all were seen or documented.
TOKEN_SHAPES: Final = ("live_flat", "docs_data_array", "app_scoped_big_int", "no_permissions")
HOUR: Final = 3600
LONG_LIFE: Final = 5_183_944
REFRESH_AFTER: Final = 24 * HOUR
_ALPHABET: Final = string.ascii_letters + string.digits


@dataclass
class Code:
    value: str
    account_id: str
    redirect_uri: str
    permissions: tuple[str, ...]
    issued_at: float
    used: bool = False


@dataclass
class Token:
    """`refused_with`: the name of the envelope that answers every use, once revoked."""

    value: str
    kind: str
    account_id: str
    permissions: tuple[str, ...]
    issued_at: float
    expires_at: float
    refused_with: str | None = None


class OAuth:
    """Never forgets a code or token, so that a test can look for all of them."""

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        self._rng = random.Random(f"oauth {seed}")
        self._clock = clock
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Token] = {}
        self.refresh_after = float(REFRESH_AFTER)

    def issue_code(self, account: Account, redirect_uri: str, permissions: Iterable[str]) -> str:
        granted = tuple(name for name in PERMISSIONS if name in {BASIC, *permissions})
        code = Code(self._secret("AQ", 180), account.id, redirect_uri, granted, self._clock())
        self.codes[code.value] = code
        return code.value

    def redeem(self, value: str, redirect_uri: str) -> Token | str:
        """A token of one hour, or the message of the refusal."""
        code = self.codes.get(value)
        if code is None or code.used:
            return "Matching code was not found or was already used"
        if code.redirect_uri != redirect_uri:
            return (
                "Error validating verification code. Please make sure your redirect_uri is"
                " identical to the one you used in the OAuth dialog request"
            )
        code.used = True
        if self._clock() - code.issued_at > HOUR:
            return "This authorization code has expired"
        return self._issue("short", code.account_id, code.permissions, HOUR)

    def lengthen(self, token: Token) -> Token:
        return self._issue("long", token.account_id, token.permissions, LONG_LIFE)

    def refresh(self, token: Token) -> Token | Response:
        if token.kind != "long":
            return refusal("100_parameter", "Only long-lived tokens can be refreshed")
        if BASIC not in token.permissions:
            return refusal("airbyte_10")
        if self._clock() - token.issued_at < self.refresh_after:
            return refusal("100_parameter", "The token is less than 24 hours old")
        return self.lengthen(token)

    def accept(self, value: str | None) -> Token | Response:
        """The token, if it may be used now."""
        token = self.tokens.get(value or "")
        if token is None:
            message = "Invalid OAuth access token - Cannot parse access token"
            return refusal("190_no_subcode_expired", message)
        if token.refused_with is not None:
            return refusal(token.refused_with)
        if self._clock() >= token.expires_at:
            return refusal("190_463_expired")
        return token

    def revoke(self, account_id: str, reason: str = "190_458_app_removed") -> int:
        """End every token of the account; returns how many."""
        ended = 0
        for token in self.tokens.values():
            if token.account_id == account_id and token.refused_with is None:
                token.refused_with = reason
                ended += 1
        return ended

    def everything(self) -> list[dict[str, Any]]:
        codes = [
            {"kind": "code", "value": c.value, "account": c.account_id} for c in self.codes.values()
        ]
        return codes + [
            {
                "kind": token.kind,
                "value": token.value,
                "account": token.account_id,
                "permissions": list(token.permissions),
                "issued_at": token.issued_at,
                "expires_at": token.expires_at,
                "refused_with": token.refused_with,
            }
            for token in self.tokens.values()
        ]

    def _issue(
        self, kind: str, account_id: str, permissions: tuple[str, ...], life: float
    ) -> Token:
        now = self._clock()
        token = Token(self._secret("IGAA", 120), kind, account_id, permissions, now, now + life)
        self.tokens[token.value] = token
        return token

    def _secret(self, prefix: str, length: int) -> str:
        return prefix + "".join(self._rng.choices(_ALPHABET, k=length))
