"""Cache backends that hash keys and encrypt values.

allauth puts authorization codes and device codes into keys and values, and a cache table is in
every backup. Keys are hashed with SECRET_KEY, since user codes are short enough to be guessed from
a plain hash. An entry that no key decrypts counts as absent.
"""

from __future__ import annotations

import base64
import hmac
import pickle
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.cache.backends import db, redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT

from accounts import crypto
from accounts.errors import Bug

_ABSENT = object()


def hashed_key(key: str, key_prefix: str, version: int) -> str:
    """For the setting KEY_FUNCTION: 64 hexadecimal digits for any key."""
    named = f"{key_prefix}:{version}:{key}"
    return hmac.digest(settings.SECRET_KEY.encode(), named.encode(), "sha256").hex()


def seal(value: Any) -> Any:
    """Encrypt a value; an integer stays in clear, since Redis counts with it."""
    if type(value) is int:
        return value
    return crypto.encrypt(base64.b64encode(pickle.dumps(value)).decode())


def unseal(stored: Any) -> Any:
    """Raises Bug if no key fits."""
    if type(stored) is int:
        return stored
    return pickle.loads(base64.b64decode(crypto.decrypt(str(stored))))  # noqa: S301  we signed it


def _unsealed(stored: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: _or_absent(value) for key, value in stored.items()}
    return {key: value for key, value in found.items() if value is not _ABSENT}


def _or_absent(stored: Any) -> Any:
    try:
        return unseal(stored)
    except Bug:
        return _ABSENT


class DatabaseCache(db.DatabaseCache):
    """Django's database cache, encrypted; `get` is its `get_many` of one."""

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return super().add(key, seal(value), timeout, version)

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        super().set(key, seal(value), timeout, version)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        return _unsealed(super().get_many(list(keys), version))


class RedisCache(redis.RedisCache):
    """Django's Redis cache, encrypted."""

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return super().add(key, seal(value), timeout, version)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        stored = super().get(key, _ABSENT, version)
        found = stored if stored is _ABSENT else _or_absent(stored)
        return default if found is _ABSENT else found

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        super().set(key, seal(value), timeout, version)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        return _unsealed(super().get_many(list(keys), version))

    def set_many(
        self, data: Mapping[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[str]:
        sealed = {key: seal(value) for key, value in data.items()}
        return super().set_many(sealed, timeout, version)
