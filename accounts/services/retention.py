"""Carries out the retention rules (`accounts.selectors.retention_rules`), in batches and slices."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django_q.models import Task

from accounts import clock, registry
from accounts.models import DataExport, DeletionRequest, StaffView
from accounts.selectors.retention_rules import Rule, retention_rules
from accounts.services import idempotency, quotas, suppression
from accounts.services.erasure import erasure_list, payloads

BATCH_ROWS: Final = 5_000
LISTED_AT_A_TIME: Final = 100
#: A session may be noted a moment before its own row is committed.
IN_MAKING: Final = timedelta(hours=1)


def work() -> dict[str, registry.NightWork]:
    """The nightly work of each rule, by its name; rules without days do nothing."""
    found: dict[str, registry.NightWork] = {}
    for rule in retention_rules():
        if rule.days == 0 and rule.name != "sessions":
            continue
        handler = _OWN.get(rule.name) or registry.retention_handlers().get(rule.name)
        paced = registry.cursor_retention_handlers().get(rule.name)
        if handler is not None:
            found[rule.name] = partial(_apply_rule, rule, handler)
        elif paced is not None:
            found[rule.name] = partial(_apply_from_cursor, rule, paced)
    return found


def _apply_rule(
    rule: Rule, handler: registry.RetentionHandler, progress: registry.Progress, until: float
) -> int:
    total = 0
    while time.monotonic() < until:
        with transaction.atomic():
            deleted = handler(_before(rule), BATCH_ROWS)
        total += deleted
        if not deleted:
            progress.finished = True
            break
    return total


def _apply_from_cursor(
    rule: Rule, handler: registry.CursorRetentionHandler, progress: registry.Progress, until: float
) -> int:
    return handler(_before(rule), progress, until)


def _before(rule: Rule) -> datetime:
    return clock.now() - timedelta(days=rule.days)


def _queue(older_than: datetime, limit: int) -> int:
    ended = Task.objects.filter(stopped__lt=older_than).values("pk")[:limit]
    return int(Task.objects.filter(pk__in=ended).delete()[0])


def _sessions(older_than: datetime, limit: int) -> int:
    """With allauth's row about each (address, browser), which nothing else deletes."""
    ended = Session.objects.filter(expire_date__lt=older_than).values("pk")[:limit]
    deleted = Session.objects.filter(pk__in=ended).delete()[0]
    kept = Session.objects.filter(session_key=OuterRef("session_key"))
    orphans = UserSession.objects.filter(
        ~Exists(kept), last_seen_at__lt=min(older_than, clock.now() - IN_MAKING)
    )
    noted = UserSession.objects.filter(pk__in=orphans.values("pk")[:limit]).delete()[0]
    return deleted + int(noted)


def _sessions_and_cache(older_than: datetime, limit: int) -> int:
    return _sessions(older_than, limit) + payloads.forget_ended_cache(older_than, limit)


def _admin_log(older_than: datetime, limit: int) -> int:
    old = LogEntry.objects.filter(action_time__lt=older_than).order_by().values("pk")[:limit]
    looks = StaffView.objects.filter(at__lt=older_than).order_by().values("pk")[:limit]
    return (
        LogEntry.objects.filter(pk__in=old).delete()[0]
        + StaffView.objects.filter(pk__in=looks).delete()[0]
    )


def _idempotency(older_than: datetime, limit: int) -> int:
    # Each record has its own end, a day after its start.
    return idempotency.forget_expired(limit=limit)


def _visitors(older_than: datetime, limit: int) -> int:
    # Each row has its own end, at most a day after the last use.
    return quotas.forget_visitors(limit=limit)


def _exports(older_than: datetime, limit: int) -> int:
    old = DataExport.objects.filter(
        created_at__lt=older_than, state__in=[DataExport.State.EXPIRED, DataExport.State.FAILED]
    )
    return DataExport.objects.filter(pk__in=old.order_by().values("pk")[:limit]).delete()[0]


def _deletions(older_than: datetime, limit: int) -> int:
    ended = DeletionRequest.objects.filter(
        requested_at__lt=older_than,
        state__in=[DeletionRequest.State.COMPLETED, DeletionRequest.State.CANCELLED],
    )
    return DeletionRequest.objects.filter(pk__in=ended.order_by().values("pk")[:limit]).delete()[0]


def _erasure_list(older_than: datetime, limit: int) -> int:
    """It need not outlive the oldest restorable backup. One object is deleted at a time."""
    return erasure_list.forget(older_than, min(limit, LISTED_AT_A_TIME))


_OWN: Final[Mapping[str, registry.RetentionHandler]] = MappingProxyType(
    {
        "queue": _queue,
        "sessions": _sessions_and_cache,
        "exports": _exports,
        "idempotency": _idempotency,
        "visitors": _visitors,
        "admin_log": _admin_log,
        "deletions": _deletions,
        "erasure_list": _erasure_list,
        "requests": suppression.wipe_closed,
    }
)
