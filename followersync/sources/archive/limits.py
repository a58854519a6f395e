"""Limits on the size of an archive."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in bytes and counts; only the files that are read count towards them.

    A follower row takes 90 to 220 bytes, so a gigabyte holds five to twelve million people in one
    part. Follower lists of real exports shrink 10 to 20 times; DEFLATE's own limit, which zip bombs
    approach, is 1032.
    """

    member_bytes: int = 1280 * MIB
    total_bytes: int = 4096 * MIB
    ratio: int = 150
    members: int = 400_000
    directory_bytes: int = 64 * MIB
    parts: int = 10_000


DEFAULT = Limits()
