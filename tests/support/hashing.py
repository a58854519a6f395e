"""A password hasher that counts: what a sign-in costs is told by it, and not by a clock."""

from __future__ import annotations

from django.contrib.auth.hashers import MD5PasswordHasher


class CountedHasher(MD5PasswordHasher):
    """Each comparison and each new hash is one call of `encode`."""

    algorithm = "counted"
    calls = 0

    def encode(self, password: str, salt: str) -> str:
        CountedHasher.calls += 1
        return super().encode(password, salt)
