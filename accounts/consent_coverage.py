"""Consent coverage: the API calls, columns and displays that linking and each scope permit.

Each app declares its own. A test checks the code against it, scope by scope, and the table in
docs/privacy.md is generated from it. What is not declared may not be requested, stored or shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from accounts.scopes import Scope

#: The service itself, which needs no consent: GDPR article 6 (1) (b).
LINKING: Final = "linking"


@dataclass(frozen=True)
class Columns:
    """The columns `names` of one table; with `every`, all others."""

    names: frozenset[str] = frozenset()
    every: bool = False

    def __contains__(self, column: str) -> bool:
        return (column in self.names) is not self.every

    def __str__(self) -> str:
        listed = ", ".join(f"`{name}`" for name in sorted(self.names))
        if not self.every:
            return listed
        return f"all but {listed}" if listed else "all"


ALL: Final = Columns(every=True)


def only(*names: str) -> Columns:
    return Columns(frozenset(names))


def all_but(*names: str) -> Columns:
    return Columns(frozenset(names), every=True)


@dataclass
class Covered:
    """`calls`: route and fields, as `me id,username`. `tables`: by name. `shows`: descriptions."""

    calls: set[str] = field(default_factory=set)
    tables: dict[str, Columns] = field(default_factory=dict)
    shows: set[str] = field(default_factory=set)


declared: dict[str, Covered] = {basis: Covered() for basis in (LINKING, *Scope)}


def declare(
    basis: str,
    *,
    calls: Iterable[str] = (),
    tables: Mapping[str, Columns] | None = None,
    shows: Iterable[str] = (),
) -> None:
    """Add to what `basis` (LINKING or a scope) permits. Only one app declares a table."""
    covered = declared[basis]
    covered.calls.update(calls)
    covered.shows.update(shows)
    for table, columns in (tables or {}).items():
        if covered.tables.setdefault(table, columns) != columns:
            raise RuntimeError(f"{table} is declared twice for {basis}.")


declare(
    LINKING,
    calls=[
        "authorize",
        "exchange_code",
        "long_lived",
        "me id,user_id,username",
        "permissions",
        "refresh",
    ],
    tables={
        "accounts_linkedaccount": all_but("webhooks_since"),
        "accounts_accesstoken": ALL,
        "accounts_consentsubject": ALL,
        "accounts_idempotencyrecord": ALL,
        "accounts_staffview": ALL,
    },
    shows=["the account's name and state"],
)
declare(
    Scope.FOLLOWERS,
    calls=["subscribed_apps"],
    tables={"accounts_linkedaccount": only("webhooks_since")},
)
