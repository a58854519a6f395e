"""Current figures of the database server and the queue."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q
from django_q.brokers import get_broker
from django_q.models import OrmQ

from accounts import clock


def database() -> dict[str, float]:
    """All connections, the server's limit, and the database's size in bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
            " current_setting('max_connections')::int,"
            " pg_database_size(current_database())"
        )
        used, limit, size = cursor.fetchone()
    return {
        "database_connections": used,
        "database_connections_limit": limit,
        "database_size_bytes": size,
    }


def queue() -> dict[str, float]:
    """How many tasks wait, and for how long the oldest; the latter not with Redis."""
    if settings.REDIS_URL:
        return {"queue_waiting": get_broker().queue_size()}
    now = clock.wall()
    found = OrmQ.objects.aggregate(waiting=Count("pk"), oldest=Min("lock", filter=Q(lock__lte=now)))
    oldest = found["oldest"]
    return {
        "queue_waiting": found["waiting"],
        "queue_oldest_seconds": (now - oldest).total_seconds() if oldest else 0.0,
    }
