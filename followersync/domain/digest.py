"""Digest: an order-independent keyed hash of a follower list, updated as rows come and go.

Each row is hashed with BLAKE2b (32 bytes, keyed with the account's digest key) over the key in
decimal, a zero byte and the username in UTF-8; the row hashes are summed modulo 2**256. A sum, not
an exclusive or: a row counted twice must not vanish.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

EMPTY = 0
MODULUS = 1 << 256
Row = tuple[int, str]


def row(digest_key: bytes, key: int, username: str) -> int:
    """The hash of one follower; `digest_key`: 16 to 64 bytes."""
    text = b"%d\x00%s" % (key, username.encode())
    return int.from_bytes(blake2b(text, digest_size=32, key=digest_key).digest(), "big")


def total(digest_key: bytes, rows: Iterable[Row]) -> int:
    """The sum of the rows' hashes."""
    return total_of_texts(
        digest_key, (b"%d\x00%s" % (key, username.encode()) for key, username in rows)
    )


def total_of_texts(digest_key: bytes, texts: Iterable[bytes]) -> int:
    """The same for rows written out already: the key in decimal, a zero byte, the username."""
    keyed = blake2b(digest_size=32, key=digest_key)
    result = 0
    for text in texts:
        hashed = keyed.copy()
        hashed.update(text)
        result += int.from_bytes(hashed.digest(), "big")
    return result % MODULUS


def combine(value: int, *, added: Iterable[Row], removed: Iterable[Row], digest_key: bytes) -> int:
    """The digest after rows came and went; a rename is the old row removed, the new one added."""
    return (value + total(digest_key, added) - total(digest_key, removed)) % MODULUS


def to_hex(value: int) -> str:
    """64 lower-case hex digits."""
    return f"{value:064x}"


def from_hex(text: str) -> int:
    """Raises ValueError for anything but 64 hex digits."""
    if len(text) != 64:
        raise ValueError("a digest is 64 hex digits")
    return int(text, 16)
