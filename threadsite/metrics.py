"""`/metrics` for Prometheus, guarded by a token; docs/operations.md lists the metrics.

No label names a person: labels are our own parts, routes, states and codes.
"""

from __future__ import annotations

import hmac
import platform
import shutil
from collections.abc import Iterator
from itertools import groupby
from typing import Final

import django
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from accounts import counters
from accounts.models import Counter
from accounts.selectors.duties import deadline_counts
from followersync.selectors import operations
from threadsite import __version__, environment, health, heartbeat, server_state

#: Help of each gauge without labels. Those without a unit are numbers of rows.
GAUGES: Final = {
    "queue_heartbeat_age_seconds": "Seconds since a worker last proved alive; -1 before the first",
    "queue_waiting": "Tasks in the queue, those at work included",
    "queue_oldest_seconds": "How long the oldest task that nobody took has waited",
    "accounts_linked": "Linked accounts",
    "accounts_paused": "Linked accounts that their members paused",
    "accounts_needing_reconnection": "Linked accounts whose token has ended",
    "accounts_overdue": "Accounts due for a sync for more than 10 minutes",
    "accounts_failing": "Accounts whose last three runs or more failed",
    "followers_held": "Followers in all lists",
    "runs_open": "Sync runs and imports that have not ended",
    "runs_stuck": "Runs that nobody has advanced for 15 minutes",
    "webhooks_failing": "Members' webhooks whose last message was not taken",
    "webhooks_given_up": "Members' webhooks switched off after 16 failures",
    "erasures_open": "Erasures that have not ended",
    "erasures_overdue": "Erasures that should have ended a day ago",
    "erasures_failed": "Erasures that failed eight times and wait for staff",
    "privacy_requests_open": "Requests of people who are no members, waiting for staff",
    "privacy_requests_overdue": "Requests past the month of GDPR article 12 (3)",
    "residue_findings": "Words of erased people met in the database, not yet judged",
    "tokens_expiring": "Instagram tokens that end within 7 days unless they are refreshed",
    "tokens_expired": "Instagram tokens that have ended and are not marked as such",
    "database_connections": "Connections to the database server, of everybody",
    "database_connections_limit": "Connections that the database server allows",
    "database_size_bytes": "Size of the database",
    "disk_size_bytes": "Size of the disk that holds THREADSITE_HOME, on the host that answers",
    "disk_free_bytes": "Free bytes of it",
}


@never_cache
def metrics_view(request: HttpRequest) -> HttpResponse:
    """Every metric; 404 without the bearer token of METRICS_TOKEN."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not hmac.compare_digest(given.encode(), expected.encode()):
        return HttpResponse(status=404)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Site())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Site(Collector):
    """All metrics of the site; without the database, those that do not need it."""

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client."""
        yield _build()
        yield from _gauges(_disk())
        parts = health.readiness()
        ready = GaugeMetricFamily(
            "threadsite_ready", "1 where this part is well (as /readyz says)", labels=["part"]
        )
        for part, state in parts.items():
            ready.add_metric([part], float(state == "ok"))
        yield ready
        if parts.get("database") == "ok" and parts.get("migrations") == "ok":
            try:
                yield from list(_from_database())
            except DatabaseError:
                return  # it went away meanwhile; the next scrape shows it


def _build() -> Metric:
    family = GaugeMetricFamily(
        "threadsite_build_info", "What runs here", labels=["version", "django", "python"]
    )
    family.add_metric([__version__, django.get_version(), platform.python_version()], 1)
    return family


def _disk() -> dict[str, float]:
    try:
        disk = shutil.disk_usage(environment.home())
    except OSError:
        return {}
    return {"disk_size_bytes": disk.total, "disk_free_bytes": disk.free}


def _from_database() -> Iterator[Metric]:
    counters.flush_when_due()
    pulse = heartbeat.age()
    yield from _gauges(
        {
            "queue_heartbeat_age_seconds": -1 if pulse is None else pulse,
            **server_state.queue(),
            **server_state.database(),
            **operations.operational_counts(),
            **operations.webhook_counts(),
            **deadline_counts(),
        }
    )
    lag = GaugeMetricFamily(
        "threadsite_sync_lag_seconds",
        "How long accounts have been due for a sync: median, 95th percentile and largest",
        labels=["percentile"],
    )
    for percentile, seconds in operations.sync_lag().items():
        lag.add_metric([percentile], seconds)
    yield lag
    yield from _counted()


def _gauges(values: dict[str, float]) -> Iterator[Metric]:
    for name, value in values.items():
        yield GaugeMetricFamily(f"threadsite_{name}", GAUGES[name], value=value)


def _counted() -> Iterator[Metric]:
    """The sums of `accounts.counters`. A family without additions has no samples."""
    rows = list(
        Counter.objects.order_by("name", "labels").values_list("name", "labels", "part", "value")
    )
    for name, measure in counters.MEASURES.items():
        mine = [row for row in rows if row[0] == name]
        family: CounterMetricFamily | HistogramMetricFamily
        if measure.bounds:
            family = HistogramMetricFamily(
                f"threadsite_{name}", measure.meaning, labels=measure.labels
            )
        else:
            family = CounterMetricFamily(
                f"threadsite_{name}", measure.meaning, labels=measure.labels
            )
        for labels, group in groupby(mine, key=lambda row: row[1]):
            values = {part: value for _name, _labels, part, value in group}
            words = labels.split(",")
            if isinstance(family, HistogramMetricFamily):
                family.add_metric(words, _buckets(values, measure.bounds), values.get("sum", 0.0))
            else:
                family.add_metric(words, values.get("total", 0.0))
        yield family


def _buckets(values: dict[str, float], bounds: tuple[float, ...]) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus requires."""
    total, found = 0.0, []
    for bound in (*map(str, bounds), "+Inf"):
        total += values.get(bound, 0.0)
        found.append((bound, total))
    return found
