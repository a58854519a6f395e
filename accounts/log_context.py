"""Log context: fields added to each log line, such as request, task and run.

Stored per thread; a new thread sets it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_fields: ContextVar[Mapping[str, str | int]] = ContextVar(
    "fields of the log", default=MappingProxyType({})
)


def fields() -> Mapping[str, str | int]:
    """The fields in force, such as `{"request": "5f0c…", "run": 12}`."""
    return _fields.get()


def begin(**known: str | int) -> None:
    """Replace all fields; without arguments, clear them."""
    _fields.set(MappingProxyType(known))


@contextmanager
def about(**known: str | int) -> Iterator[None]:
    """Within the block, add fields to those around it."""
    token = _fields.set(MappingProxyType({**_fields.get(), **known}))
    try:
        yield
    finally:
        _fields.reset(token)
