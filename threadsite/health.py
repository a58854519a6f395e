"""`/healthz` and `/readyz`: whether this process answers, and whether the site can work.

Both are answered before any other middleware, so that neither a session's cookie nor an unknown
host name makes them use a part that is down.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache as site_cache
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django_q.brokers import get_broker

from accounts.selectors.processes import queue_state
from threadsite import outages, serving

logger = logging.getLogger(__name__)
OK: Final = "ok"
UNREACHABLE: Final = "unreachable"
UNKNOWN: Final = "unknown"
#: One block, so that a full disk is detected.
PROBE: Final = bytes(4096)
PROBE_KEY: Final = "threadsite:ready"


class HealthMiddleware:
    """The first middleware; answers both addresses itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = VIEWS.get(request.path_info)
        return self.get_response(request) if view is None else view(request)


@never_cache
def process_view(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
def ready_view(request: HttpRequest) -> HttpResponse:
    """200 if every part is well, else 503 with the parts that are not."""
    checks = readiness()
    status = 200 if all(value == OK for value in checks.values()) else 503
    return JsonResponse(checks, status=status)


VIEWS: Final = MappingProxyType({"/healthz": process_view, "/readyz": ready_view})


def readiness() -> dict[str, str]:
    """`ok` or the fault of each part; `unknown` if it depends on another part."""
    found: dict[str, str] = {}
    for name, look in PARTS.items():
        # Each would wait again for a database that does not answer.
        away = name in in_database() and found["database"] != OK
        found[name] = UNKNOWN if away else _state(look)
    return found


def in_database() -> frozenset[str]:
    """Parts that are stored in the database in this site's setup."""
    kept = {"migrations", "queue", "erasures"}
    return frozenset(kept if settings.REDIS_URL else kept | {"cache", "broker"})


def _state(look: Callable[[], str]) -> str:
    try:
        return look()
    except Exception as error:
        outage = outages.outage_of(error)
        if outage is None:
            logger.exception("A look at the site's parts failed")
            return UNKNOWN
        return "full" if outage is outages.DISK else UNREACHABLE


def _database() -> str:
    if connection.connection is not None and not connection.is_usable():
        connection.close()  # broken by an outage that may be over
    connection.ensure_connection()
    return OK


def _migrations() -> str:
    applied = MigrationRecorder(connection).applied_migrations()
    return OK if _known_migrations() <= applied.keys() else "pending"


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """(app, name) of every migration of this release; they do not change while it runs."""
    return frozenset(MigrationLoader(None).graph.nodes)


def _cache() -> str:
    site_cache.set(PROBE_KEY, 1, timeout=60)
    return OK if site_cache.get(PROBE_KEY) == 1 else "loses what it is given"


def _broker() -> str:
    broker: Any = get_broker()
    if settings.REDIS_URL:
        broker.connection.ping()
    return OK


def _erasures() -> str:
    """Whether a restored database needs erasures to be replayed."""
    return serving.refusal() or OK


def _disk() -> str:
    """Whether files can be written where uploads arrive and where they are stored."""
    home = Path(settings.THREADSITE_HOME)
    home.mkdir(parents=True, exist_ok=True)
    for folder in (home, Path(settings.FILE_UPLOAD_TEMP_DIR or tempfile.gettempdir())):
        try:
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(PROBE)
                probe.flush()
        except PermissionError:
            return "not writable"
    return OK


PARTS: Final = MappingProxyType(
    {
        "database": _database,
        "migrations": _migrations,
        "cache": _cache,
        "broker": _broker,
        "queue": queue_state,
        "erasures": _erasures,
        "disk": _disk,
    }
)
