"""Refuses to serve from a database that is older than the list of erasures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, close_old_connections

from accounts.services import hosts
from accounts.services.erasure import restored_backup

#: Seconds between two checks of the database's identity, and of the list while refused.
LOOK_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 10.0
RETRY_AFTER: Final = "60"
#: Always answered: they report the fault.
ALWAYS: Final = frozenset({"/healthz", "/readyz"})
#: In both languages, since the reader's is in the database, which is not used here.
TEXT: Final = (
    "This site is being restored from a backup and opens again when everything that was erased "
    "is erased here too. Please come back in a few minutes.\n\n"
    "Diese Seite wird gerade aus einer Sicherung wiederhergestellt und öffnet wieder, sobald alles "
    "Gelöschte auch hier gelöscht ist. Bitte komm in ein paar Minuten wieder.\n"
)
PROBLEM: Final = (
    '{"type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "restoring", '
    '"detail": "The site is being restored from a backup. Please try again in a few minutes."}'
)

log = logging.getLogger(__name__)
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class _Known:
    """The last result of this process."""

    looked_at: float = float("-inf")
    identity: str = ""
    refusal: str = ""


_known = _Known()


def refusal(*, fresh: bool = False) -> str:
    """Why the site may not be served, as a message for the operator; "" if it may.

    The list is compared when the process first asks, when the database is another than before, and
    again while it refuses. While the database is away, the last result is used.
    """
    now = time.monotonic()
    wait = AGAIN_SECONDS if _known.refusal else LOOK_SECONDS
    if not fresh and now - _known.looked_at < wait:
        return _known.refusal
    try:
        identity = restored_backup.database_identity()
        if fresh or _known.refusal or identity != _known.identity:
            found = restored_backup.compare()
            _known.refusal = f"{found.reason} {found.advice}".strip()
            _known.identity = identity
    except DatabaseError:
        return _known.refusal
    _known.looked_at = now
    return _known.refusal


def recheck() -> None:
    """The database was away: check at once whether it is the same as before."""
    _known.looked_at = float("-inf")


def check_start() -> None:
    """Raises ImproperlyConfigured if the site may not be served; logs what hosts do not share."""
    reason = refusal(fresh=True)
    if reason:
        raise ImproperlyConfigured(reason)
    for words in not_shared(hosts.look()):
        log.error("%s", words)
    close_old_connections()


def not_shared(own: Mapping[str, str] | None = None) -> list[str]:
    """Storages that hosts must share but do not, as messages for the operator."""
    try:
        found = hosts.not_shared(own)
    except DatabaseError:
        return []
    return [_WORDS[what].format(hosts=", ".join(names)) for what, names in found.items()]


_WORDS: Final = {
    "files": (
        "The hosts {hosts} do not share the storage of files: what one takes in, another does not "
        "find. Set the same FILES_URL on all of them (database:, s3://… or a shared folder)."
    ),
    "erasures": (
        "The hosts {hosts} do not share the list of erasures. Set the same ERASURES_URL on all of "
        "them."
    ),
}


class Guarded:
    """The site's WSGI application; answers 503 while the site may not be served."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if path in ALWAYS or not refusal():
            return self._application(environ, start_response)
        kind = "application/problem+json" if path.startswith("/api/") else "text/plain"
        body = (PROBLEM if path.startswith("/api/") else TEXT).encode()
        headers = [
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Retry-After", RETRY_AFTER),
            ("Cache-Control", "no-store"),
        ]
        start_response("503 Service Unavailable", headers)
        return [body]
