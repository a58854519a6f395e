"""Encryption of files in pieces: written and read in constant memory, at any offset.

Each file has a random key, under which piece number n is AES-256-GCM with n as nonce. The key,
encrypted under TOKEN_KEYS, is in the file's row: without the row nobody can read the file. Cut or
swapped pieces do not decrypt; the row stores the size, so a missing end is noticed.
"""

from __future__ import annotations

import base64
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accounts import crypto

#: Bytes of one piece in clear and encrypted.
PIECE: Final = 1 << 20
SEALED: Final = PIECE + 16


class Damaged(OSError):
    """A piece is not what was written."""


def new_key() -> str:
    """A new key, encrypted for its row."""
    return crypto.encrypt(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


class Seal:
    """Encrypts and decrypts the pieces of the file that `stored_key` belongs to."""

    def __init__(self, stored_key: str) -> None:
        self._cipher = AESGCM(base64.urlsafe_b64decode(crypto.decrypt(stored_key)))

    def seal(self, number: int, piece: bytes) -> bytes:
        return self._cipher.encrypt(number.to_bytes(12, "big"), piece, None)

    def unseal(self, number: int, sealed: bytes) -> bytes:
        """Raises Damaged."""
        try:
            return self._cipher.decrypt(number.to_bytes(12, "big"), sealed, None)
        except InvalidTag:
            raise Damaged(f"piece {number} of a kept file is damaged") from None
