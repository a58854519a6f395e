"""Whether this process answers, and whether the site behind it can work."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from accounts.selectors.processes import queue_state
from threadsite import serving


@never_cache
def process_view(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
def ready_view(request: HttpRequest) -> HttpResponse:
    """200 when database, migrations and queue are well, else 503; says which is not."""
    checks = readiness()
    status = 200 if all(value == "ok" for value in checks.values()) else 503
    return JsonResponse(checks, status=status)


def readiness() -> dict[str, str]:
    """`ok` or a reason for each of `database`, `migrations`, `queue`, `erasures`."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return {"database": "unreachable"} | dict.fromkeys(
            ("migrations", "queue", "erasures"), "unknown"
        )
    return {
        "database": "ok",
        "migrations": "pending" if pending else "ok",
        "queue": "unknown" if pending else queue_state(),
        "erasures": "unknown" if pending else serving.refusal() or "ok",
    }
