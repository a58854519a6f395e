"""Consent in force: the one SQL condition that every gate, page and list uses.

A consent is in force when the newest entry of its scope in the account's chain grants it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from accounts import consent_texts
from accounts.models import ConsentEvent, ConsentSubject, LinkedAccount
from accounts.scopes import Scope

# `account` and `scope` are SQL expressions of the statement around it, whose own short names
# must not be taken here.
_NEWEST: Final = (
    "(SELECT {wanted} FROM accounts_consentsubject ledger"
    " JOIN accounts_consentevent entry ON entry.subject = ledger.subject"
    " WHERE ledger.account_id = {account} AND entry.scope = {scope}"
    " ORDER BY entry.sequence DESC LIMIT 1)"
)
_GRANTED: Final = "entry.action = 'granted'"
_VERSION: Final = f"CASE WHEN {_GRANTED} THEN entry.text_version END"


def in_force_sql(account: str, scope: str) -> str:
    """An SQL expression that is true if consent is in force, else false or null.

    `account`, `scope`: SQL expressions or placeholders, never values from outside.
    """
    return _NEWEST.format(wanted=_GRANTED, account=account, scope=scope)


def in_force(scope: Scope, account: str) -> RawSQL:
    """The same for querysets. `account`: the quoted column with the account's id."""
    return RawSQL(  # noqa: S611  # nosec B611
        f"coalesce({in_force_sql(account, '%s')}, false)", [scope.value], BooleanField()
    )


def consent_in_force(account_id: int, scope: Scope) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {in_force_sql('%s', '%s')}", [account_id, scope.value])
        return bool(cursor.fetchone()[0])


def accounts_with_consent(account_ids: Collection[int], scopes: Collection[Scope]) -> set[int]:
    """Those of the accounts for which at least one of `scopes` is in force."""
    any_of = " OR ".join(in_force_sql("a.id", "%s") for _scope in scopes)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a.id FROM unnest(%s::bigint[]) AS a (id) WHERE {any_of}",  # noqa: S608
            [list(account_ids), *(scope.value for scope in scopes)],
        )
        return {account_id for (account_id,) in cursor}


def consents_in_force(account: LinkedAccount) -> frozenset[Scope]:
    return frozenset(_versions_in_force(account))


def consents_outdated(account: LinkedAccount) -> frozenset[Scope]:
    """In force, but the text has since changed in substance: the member is asked again."""
    return frozenset(
        scope
        for scope, version in _versions_in_force(account).items()
        if version < consent_texts.oldest_valid_version(scope)
    )


def consent_history(account: LinkedAccount) -> QuerySet[ConsentEvent]:
    """The account's chain, newest first."""
    return ConsentEvent.objects.filter(subject__in=_subjects(account.pk)).order_by("-sequence")


def _versions_in_force(account: LinkedAccount) -> dict[Scope, int]:
    """Each scope in force with the version of the text agreed to."""
    version = _NEWEST.format(wanted=_VERSION, account="%s", scope="w.scope")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT w.scope, {version} FROM unnest(%s::text[]) AS w (scope)",  # noqa: S608
            [account.pk, [scope.value for scope in Scope]],
        )
        return {Scope(scope): version for scope, version in cursor if version is not None}


def _subjects(account_id: int) -> QuerySet[ConsentSubject, UUID]:
    return ConsentSubject.objects.filter(account_id=account_id).values_list("subject", flat=True)
