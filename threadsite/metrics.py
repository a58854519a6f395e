"""Numbers for Prometheus, read from the database when asked and guarded by a token."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from followersync.selectors import operations
from threadsite import heartbeat


@never_cache
def metrics_view(request: HttpRequest) -> HttpResponse:
    """The site's gauges; 404 without the bearer token of METRICS_TOKEN."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not hmac.compare_digest(given.encode(), expected.encode()):
        return HttpResponse(status=404)
    return HttpResponse(generate_latest(collect()), content_type=CONTENT_TYPE_LATEST)


def collect() -> CollectorRegistry:
    """A registry with the queue's pulse and the engine's own counts."""
    registry = CollectorRegistry()
    pulse = heartbeat.age()
    Gauge(
        "threadsite_queue_heartbeat_age_seconds",
        "Seconds since a worker last proved alive",
        registry=registry,
    ).set(-1 if pulse is None else pulse)
    for name, value in operations.operational_counts().items():
        Gauge(f"threadsite_{name}", name.replace("_", " "), registry=registry).set(value)
    return registry
