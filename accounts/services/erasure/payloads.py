"""Encoded payloads: queue rows, ended tasks, schedules, sessions and cache entries, decoded.

They are decoded by the code that wrote them, never searched as text: a pickled or signed value does
not show the name that it contains. A Redis queue or cache is not in the database; its entries carry
only ids and expire.
"""

from __future__ import annotations

import base64
import inspect
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import BadSignature, SignedPackage

from accounts import caches
from accounts.errors import Bug
from accounts.services.erasure import sql
from accounts.sessions import SessionStore

CACHE_TABLE = "threadsite_cache"
#: Names of fields with a member's or account's id in our payloads and allauth's.
MEMBER_KEYS = frozenset({"user", "user_id", "owner", "owner_id", "sub", SESSION_KEY})
ACCOUNT_KEYS = frozenset({"account", "account_id"})


@dataclass(frozen=True)
class Payload:
    """One decoded row; `task` is the dotted name of a queue row's function, else empty."""

    table: str
    key: str
    value: Any
    task: str = ""

    @property
    def arguments(self) -> set[str]:
        """A queue row's positional arguments, as texts."""
        given = self.value.get("args") if self.task else None
        return set(map(str, given)) if isinstance(given, (list, tuple)) else set()


def all_payloads() -> Iterator[Payload]:
    """Every encoded row of the database, decoded; if that fails, its text."""
    for rows in SOURCES.values():
        yield from rows(None)


def _waiting(after: str | None) -> Iterator[Payload]:
    for key, packed in _after(OrmQ, after).values_list("pk", "payload").iterator():
        try:
            value = SignedPackage.loads(packed)
            func = str(value.get("func", ""))
            yield Payload("django_q_ormq", str(key), value | _bound(func, value["args"]), func)
        except (BadSignature, AttributeError, KeyError, ValueError, pickle.PickleError):
            yield Payload("django_q_ormq", str(key), str(packed))


def _ended(after: str | None) -> Iterator[Payload]:
    for task in _after(Task, after).iterator():
        value = {"args": task.args, "kwargs": task.kwargs, "result": task.result}
        value |= {"name": task.name, "group": task.group} | _bound(task.func, task.args)
        yield Payload("django_q_task", task.pk, value, str(task.func))


def _schedules(after: str | None) -> Iterator[Payload]:
    for schedule in _after(Schedule, after).iterator():
        value = {"args": [schedule.args], "kwargs": schedule.kwargs, "name": schedule.name}
        yield Payload("django_q_schedule", str(schedule.pk), value, str(schedule.func))


def _bound(func: str, arguments: Any) -> dict[str, Any]:
    """The arguments by the parameter names of the task's function (`account_id`, …)."""
    try:
        named = inspect.signature(import_string(func)).bind_partial(*arguments).arguments
    except (ImportError, TypeError, ValueError):
        return {}  # a task of an older version, or a built-in: its words are searched anyway
    return {"named": dict(named)}


def _sessions(after: str | None) -> Iterator[Payload]:
    for session in _after(Session, after).iterator():
        yield Payload("django_session", session.pk, SessionStore().decode(session.session_data))


def _cache(after: str | None) -> Iterator[Payload]:
    statement = (
        f'SELECT cache_key, value FROM "{CACHE_TABLE}" WHERE cache_key > %s ORDER BY cache_key'  # noqa: S608
    )
    for key, packed in sql.stream(statement, [after or ""]):
        try:
            # The table's values were pickled by Django's backend, and are ours.
            value = caches.unseal(pickle.loads(base64.b64decode(packed)))  # noqa: S301
        except (Bug, ValueError, pickle.PickleError, AttributeError, EOFError, ImportError):
            value = packed
        yield Payload(CACHE_TABLE, key, {"key": key, "value": value})


def _after(model: Any, after: str | None) -> Any:
    """Rows in the order of their key, after `after`."""
    rows = model.objects.order_by("pk")
    return rows if after is None else rows.filter(pk__gt=after)


#: By table: the rows after a key, in the order of their keys.
SOURCES: Final[Mapping[str, Callable[[str | None], Iterator[Payload]]]] = MappingProxyType(
    {
        "django_q_ormq": _waiting,
        "django_q_task": _ended,
        "django_q_schedule": _schedules,
        "django_session": _sessions,
        CACHE_TABLE: _cache,
    }
)


def forget_ended_cache(older_than: datetime, limit: int) -> int:
    """Delete expired entries, which Django deletes only when they are read; returns how many."""
    ended = f'SELECT cache_key FROM "{CACHE_TABLE}" WHERE expires < %s LIMIT %s'  # noqa: S608
    statement = f'DELETE FROM "{CACHE_TABLE}" WHERE cache_key IN ({ended})'  # noqa: S608
    return sql.execute(statement, [older_than, limit])


def delete(payload: Payload) -> int:
    """Delete the row; 1 if it still existed."""
    if payload.table == CACHE_TABLE:
        statement = f'DELETE FROM "{CACHE_TABLE}" WHERE cache_key = %s'  # noqa: S608
        return sql.execute(statement, [payload.key])
    models: dict[str, Any] = {
        "django_q_ormq": OrmQ,
        "django_q_task": Task,
        "django_q_schedule": Schedule,
        "django_session": Session,
    }
    deleted, _per_model = models[payload.table].objects.filter(pk=payload.key).delete()
    return int(deleted)


def names(value: Any, keys: frozenset[str], identity: int) -> bool:
    """Whether a mapping inside `value` has the id under one of the keys."""
    if isinstance(value, Mapping):
        return any(
            (key in keys and str(inner) == str(identity)) or names(inner, keys, identity)
            for key, inner in value.items()
        )
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(names(inner, keys, identity) for inner in value)
    return False


def count() -> int:
    """The number of encoded rows."""
    entries: int = sql.select(f'SELECT count(*) FROM "{CACHE_TABLE}"')[0][0]  # noqa: S608
    return entries + sum(model.objects.count() for model in (OrmQ, Task, Schedule, Session))
