"""Encryption with key rotation, and the ledger's MAC. No other module knows the keys.

TOKEN_KEYS holds Fernet keys, newest first: the first encrypts, all decrypt. CONSENT_LEDGER_KEY
signs the consent ledger and never enters the database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.errors import Bug


def encrypt(text: str) -> str:
    return _all_keys(tuple(settings.TOKEN_KEYS)).encrypt(text.encode()).decode()


def decrypt(ciphertext: str) -> str:
    """Raises Bug if no key of TOKEN_KEYS fits: a wrong key never yields a wrong text."""
    try:
        return _all_keys(tuple(settings.TOKEN_KEYS)).decrypt(ciphertext.encode()).decode()
    except InvalidToken:
        raise _no_key() from None


def rotated(ciphertext: str) -> str | None:
    """The text encrypted under the newest key, or None if it already is."""
    keys = tuple(settings.TOKEN_KEYS)
    try:
        _all_keys(keys[:1]).decrypt(ciphertext.encode())
    except InvalidToken:
        pass
    else:
        return None
    try:
        return _all_keys(keys).rotate(ciphertext.encode()).decode()
    except InvalidToken:
        raise _no_key() from None


def fingerprint(key: str) -> str:
    """16 hexadecimal digits that identify a key of TOKEN_KEYS without revealing it."""
    return hashlib.sha256(f"threadsite:fingerprint:{key}".encode()).hexdigest()[:16]


def ledger_mac(kind: str, *values: str | int | bool | None) -> str:
    """Hex HMAC-SHA256 over `values`; `kind` separates the MACs of different kinds of rows."""
    message = json.dumps([kind, *values], ensure_ascii=True, separators=(",", ":")).encode()
    return hmac.new(settings.CONSENT_LEDGER_KEY.encode(), message, hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(one.encode(), other.encode())


@lru_cache(maxsize=8)
def _all_keys(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _no_key() -> Bug:
    return Bug(
        "no_key",
        _(
            "A stored secret cannot be read with the keys in TOKEN_KEYS. Put back the key that it "
            "was stored under; nothing was changed."
        ),
    )
