"""What a line of the log belongs to: the request, the queue's task, the run.

Kept for the present thread; whoever starts another thread says it there anew.
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
    """What was said by those around, such as `{"request": "5f0c…", "run": 12}`."""
    return _fields.get()


def begin(**known: str | int) -> None:
    """From here on, in place of what was said before; nothing where nothing is given."""
    _fields.set(MappingProxyType(known))


@contextmanager
def about(**known: str | int) -> Iterator[None]:
    """Within it, beside what was said around it."""
    token = _fields.set(MappingProxyType({**_fields.get(), **known}))
    try:
        yield
    finally:
        _fields.reset(token)
