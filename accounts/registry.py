"""Registry: other apps register erasers, exporters, retention rules, jobs and leases here.

Erasers take `(account_id or owner_id, limit)`, delete at most `limit` rows, and return how many
they deleted: 0 means that nothing is left. They are called again until they return 0, possibly by
another process, so they keep no state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from accounts.models import LinkedAccount
    from accounts.scopes import Scope

Eraser = Callable[[int, int], int]
Exporter = Callable[["LinkedAccount"], Iterator[dict[str, Any]]]
OwnerExporter = Callable[[int], Iterator[dict[str, Any]]]

#: Returns the arguments by which a queued task belongs to the account of this id.
TaskKeys = Callable[[int], Iterable[int | str]]


@dataclass(frozen=True)
class Person:
    """A non-member: known by id, by name, or by both. `username` is lower case."""

    instagram_id: int | None
    username: str | None


@dataclass
class Progress:
    """Progress of a piece of nightly work, stored in its row between two slices.

    `cursor` is where the next slice continues, {} at the beginning; `memory` is what one night
    passes on to the next. Both hold JSON values.
    """

    cursor: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    finished: bool = False


PersonEraser = Callable[[Person, int], int]
PersonFinder = Callable[[Person], Iterator[dict[str, Any]]]
#: `(older_than, limit)`: deletes at most `limit` rows and returns how many.
RetentionHandler = Callable[[datetime, int], int]
#: `(progress, until)`: works until about that `time.monotonic`; returns how much it did.
NightWork = Callable[[Progress, float], int]
#: `(older_than, progress, until)`: retention that continues at a cursor.
CursorRetentionHandler = Callable[[datetime, Progress, float], int]
Rotation = Callable[[], Iterator[bool]]
#: All people in lists as (Instagram id or surrogate, name), with duplicates; streamed.
People = Callable[[], Iterator[tuple[int, str]]]

#: `(lowest, highest)`: ends the leases of workers with ids in between; returns how many.
LeaseEnder = Callable[[UUID, UUID], int]

_erasers: dict[str, Eraser] = {}
_scope_erasers: dict[Scope, dict[str, Eraser]] = {}
_exporters: dict[str, Exporter] = {}
_owner_exporters: dict[str, OwnerExporter] = {}
_task_keys: dict[str, TaskKeys] = {}
_person_erasers: dict[str, PersonEraser] = {}
_person_finders: dict[str, PersonFinder] = {}
_rotations: dict[str, Rotation] = {}
_retention_handlers: dict[str, RetentionHandler] = {}
_jobs: dict[str, timedelta] = {}
_lease_enders: dict[str, LeaseEnder] = {}
_cursor_retention_handlers: dict[str, CursorRetentionHandler] = {}
_people: dict[str, People] = {}


def register_eraser(kind: str, erase: Eraser) -> None:
    """Rows of `kind` that belong to an account, erased with it."""
    _put(_erasers, kind, erase)


def register_scope_eraser(scope: Scope, kind: str, erase: Eraser) -> None:
    """Rows of `kind` stored under the consent to `scope`, erased when it is withdrawn."""
    _put(_scope_erasers.setdefault(scope, {}), kind, erase)


def register_exporter(name: str, rows: Exporter) -> None:
    """Rows for the member's data export, as plain dicts, streamed into `<name>`."""
    _put(_exporters, name, rows)


def register_owner_exporter(name: str, rows: OwnerExporter) -> None:
    """Rows about the member rather than one of their accounts, by the member's id."""
    _put(_owner_exporters, name, rows)


def register_task_keys(dotted: str, keys: TaskKeys) -> None:
    """Declare which arguments of the queue's task `dotted` belong to an account.

    Called before anything of the account is erased, so that its waiting and ended queue rows go.
    Parameters named `account_id` or `owner_id` need no declaration.
    """
    _put(_task_keys, dotted, keys)


def register_person_eraser(kind: str, erase: PersonEraser) -> None:
    """Removes a suppressed person from lists, feeds and past intervals; 0: nothing left."""
    _put(_person_erasers, kind, erase)


def register_person_finder(kind: str, find: PersonFinder) -> None:
    """What is stored about a person, as plain dicts that name no member who lists them."""
    _put(_person_finders, kind, find)


def register_people(kind: str, people: People) -> None:
    """Third parties in tables, to be searched by hash after a backup was restored."""
    _put(_people, kind, people)


def people() -> Mapping[str, People]:
    return MappingProxyType(_people)


def register_retention_handler(rule: str, handler: RetentionHandler) -> None:
    """Carries out the retention rule of this name (`accounts.services.retention`)."""
    _put(_retention_handlers, rule, handler)


def register_cursor_retention_handler(rule: str, handler: CursorRetentionHandler) -> None:
    """The same for a rule that scans a key in slices and continues at a cursor."""
    _put(_cursor_retention_handlers, rule, handler)


def cursor_retention_handlers() -> Mapping[str, CursorRetentionHandler]:
    return MappingProxyType(_cursor_retention_handlers)


def erasers() -> Mapping[str, Eraser]:
    return MappingProxyType(_erasers)


def scope_erasers(scope: Scope) -> Mapping[str, Eraser]:
    return MappingProxyType(_scope_erasers.get(scope, {}))


def exporters() -> Mapping[str, Exporter]:
    return MappingProxyType(_exporters)


def owner_exporters() -> Mapping[str, OwnerExporter]:
    return MappingProxyType(_owner_exporters)


def task_keys() -> Mapping[str, TaskKeys]:
    return MappingProxyType(_task_keys)


def person_erasers() -> Mapping[str, PersonEraser]:
    return MappingProxyType(_person_erasers)


def person_finders() -> Mapping[str, PersonFinder]:
    return MappingProxyType(_person_finders)


def register_rotation(name: str, rotate: Rotation) -> None:
    """Ciphertext of another app: yields for each row whether it was re-encrypted."""
    _put(_rotations, name, rotate)


def rotations() -> Mapping[str, Rotation]:
    return MappingProxyType(_rotations)


def retention_handlers() -> Mapping[str, RetentionHandler]:
    return MappingProxyType(_retention_handlers)


def register_job(task: str, every: timedelta) -> None:
    """A periodic task without arguments, by its dotted path."""
    if _jobs.setdefault(task, every) != every:
        raise RuntimeError(f"{task} is already registered with another interval.")


def jobs() -> Mapping[str, timedelta]:
    return MappingProxyType(_jobs)


def register_leases(kind: str, end: LeaseEnder) -> None:
    """Jobs whose leases name their worker (`accounts.queue.new_worker_id`)."""
    _put(_lease_enders, kind, end)


def lease_enders() -> Mapping[str, LeaseEnder]:
    return MappingProxyType(_lease_enders)


def _put(registered: dict[str, Any], name: str, value: object) -> None:
    """Refuses a second, different registration under one name, which would hide the first."""
    if registered.setdefault(name, value) is not value:
        raise RuntimeError(f"Something else is already registered as {name!r}.")
