"""What a world must offer to drive the engine, and what a sync reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Id = Any
"""Whatever names a person: an int, or a string of digits as Instagram's."""


class Transient(Exception):
    """The request failed and may be asked again; the run ends and is taken up at the next sync."""


class Refused(Exception):
    """The cursor is no longer known."""


class Page(NamedTuple):
    """`rows`: (id, username), as shown. `after`: the next page's cursor; None: the end."""

    rows: Sequence[tuple[Id, str]]
    after: Any | None = None


class World(Protocol):
    """An Instagram. Times are seconds; every method may raise Transient, `page` Refused too."""

    def count(self, now: int) -> int | None: ...

    def page(self, now: int, after: Any | None, limit: int) -> Page: ...


@dataclass
class Report:
    """What a sync told. `whole`: a scan of the whole list ended in it. `failed`: it broke off."""

    gained: list[Id] = field(default_factory=list)
    found: list[Id] = field(default_factory=list)
    lost: list[Id] = field(default_factory=list)
    returned: list[Id] = field(default_factory=list)
    renamed: list[Id] = field(default_factory=list)
    calls: int = 0
    whole: bool = False
    failed: bool = False
