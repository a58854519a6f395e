"""Data catalogue: for each table, whose rows it holds, or why erasures may ignore it.

Most tables say so themselves: by a foreign key that leads, over any number of tables, to a member
or a linked account, or by a column `account_id` or `owner_id` without one. All others must be
declared here or by their app. An undeclared table fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Of = Literal["account", "member"]


@dataclass(frozen=True)
class DeclaredKey:
    """`column` holds `form` filled with the account's or member's id."""

    table: str
    column: str
    of: Of
    form: str


_keys: dict[tuple[str, str], DeclaredKey] = {}
_exempt: dict[str, str] = {}
_lists_people: set[str] = set()


def key(table: str, column: str, *, of: Of, form: str = "{}") -> None:
    """Declare a column that names an account or a member in a form not found automatically."""
    _keys[(table, column)] = DeclaredKey(table, column, of, form)


def exempt(table: str, why: str) -> None:
    """Declare a table that erasures ignore, and why."""
    _exempt[table] = why


def lists_people(table: str) -> None:
    """Declare a table of other members' lists, which the nightly search for words skips.

    A person erased as a member stays in the lists of members who list them, and only there.
    """
    _lists_people.add(table)


def declared_keys() -> list[DeclaredKey]:
    return list(_keys.values())


def exemptions() -> Mapping[str, str]:
    return MappingProxyType(_exempt)


def people_tables() -> frozenset[str]:
    return frozenset(_lists_people)


_PAYLOAD = "searched by its decoded payloads"
_NOBODY = "says how the site is built; holds nobody's data"
for _table, _why in {
    "accounts_consenttext": "the texts themselves, as shown to everybody",
    "accounts_consentevent": "names a random subject, whose mapping is erased; outlives the member",
    "accounts_consenthead": "names a random subject, whose mapping is erased; outlives the member",
    "accounts_consentregister": "one number, signed",
    "accounts_counter": "sums over the whole site",
    "accounts_deletionrequest": "forgets account and member itself when it completes",
    "accounts_erasureentry": "the list of erasures: keyed hashes only",
    "accounts_erasurelist": "which list of erasures this database belongs to",
    "accounts_filepiece": "ciphertext, whose key stands in accounts_keptfile and goes with it",
    "accounts_nightjob": "how far nightly work is; ids of rows at most",
    "accounts_erasureneedle": "keyed hashes only, gone after the nightly searches",
    "accounts_residuefinding": "where a word was met, not the word",
    "accounts_privacyrequest": "requests of people who are no members; wiped when closed",
    "accounts_visitorquotause": "keyed hashes of addresses only, gone the night after",
    "accounts_scheduledjob": _NOBODY,
    "accounts_siteprocess": "which processes run; holds nobody's data",
    "accounts_suppressedperson": "keyed hashes only; they must stay to keep names out",
    "auth_group": _NOBODY,
    "auth_group_permissions": _NOBODY,
    "auth_permission": _NOBODY,
    "django_content_type": _NOBODY,
    "django_migrations": _NOBODY,
    "django_session": _PAYLOAD,
    "django_q_ormq": _PAYLOAD,
    "django_q_task": _PAYLOAD,
    "django_q_schedule": _PAYLOAD,
    "socialaccount_socialapp": _NOBODY,
    "threadsite_cache": _PAYLOAD,
}.items():
    exempt(_table, _why)
