"""Outages: recognises errors caused by an unavailable database, Redis or disk.

A temporary failure of these is answered by 503 and `Retry-After`, never by 500: the request is
valid, and works once the part is back.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import Final

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.files.storage import NO_ROOM

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outage:
    """An unavailable part: `code` for programs, `detail` for people, seconds until a retry."""

    code: str
    detail: Promise
    retry_after: int


DATABASE: Final = Outage(
    "database_unavailable",
    _(
        "The site cannot reach its database at the moment. What is stored is safe. If you have "
        "just sent something, check afterwards whether it was carried out."
    ),
    30,
)
CONTENDED: Final = Outage(
    "database_busy",
    _(
        "The site's database is very busy, and this request was not carried out. What is stored "
        "is safe."
    ),
    5,
)
CACHE: Final = Outage(
    "cache_unavailable",
    _(
        "A service that this page needs does not answer at the moment. What is stored is safe. If "
        "you have just sent something, check afterwards whether it was carried out."
    ),
    30,
)
DISK: Final = Outage(
    "disk_full",
    _("The site has no room for files at the moment. What you sent was not kept."),
    300,
)

#: https://www.postgresql.org/docs/current/errcodes-appendix.html
#: Serialization failure, deadlock, lock not available, statement cancelled by a time limit.
_CONTENTION: Final = frozenset({"40001", "40P01", "55P03", "57014"})
#: A server that only reads: a standby that has not taken over yet.
_READ_ONLY: Final = "25006"
#: Wrong object states are faults of ours, although the driver calls them operational.
_OBJECT_STATE: Final = "55"
_DATABASE_ERRORS: Final = (DatabaseError, InterfaceError, psycopg.Error)
_OPERATIONAL: Final = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)


def outage_of(error: BaseException | None) -> Outage | None:
    """The outage behind an error, or behind the cause of one of our errors."""
    while error is not None:
        found = _of_database(error) or _of_cache(error) or _of_disk(error)
        if found is not None:
            return found
        error = error.__cause__
    return None


def note(outage: Outage, error: BaseException, where: str) -> None:
    """Log one line without a traceback: there is one for each request meanwhile."""
    said = (str(error).strip().splitlines() or [""])[0]
    logger.warning("%s: %s in %s (%s)", outage.code, type(error).__name__, where, said[:200])


def is_noted(response: HttpResponseBase) -> None:
    """Keep Django from logging the answer again with a traceback (`django.utils.log`)."""
    response._has_been_logged = True  # type: ignore[attr-defined]


def _of_database(error: BaseException) -> Outage | None:
    if not isinstance(error, _DATABASE_ERRORS):
        return None
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    state = getattr(cause, "sqlstate", None) or ""
    if state in _CONTENTION:
        return CONTENDED
    if state == _READ_ONLY:
        return DATABASE
    if isinstance(error, _OPERATIONAL) and not state.startswith(_OBJECT_STATE):
        return DATABASE
    return None


def _of_cache(error: BaseException) -> Outage | None:
    # Not imported where no Redis is used: then nothing can raise its errors.
    redis = sys.modules.get("redis.exceptions")
    return CACHE if redis is not None and isinstance(error, redis.RedisError) else None


def _of_disk(error: BaseException) -> Outage | None:
    return DISK if isinstance(error, OSError) and error.errno in NO_ROOM else None
