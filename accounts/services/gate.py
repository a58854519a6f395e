"""The gate: checks before every request to Instagram and every commit of its answer."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.errors import Conflict, ConsentMissing, NeedsReconnect, NotFound, PermissionMissing
from accounts.models import LinkedAccount
from accounts.scopes import Scope, permissions_needed
from accounts.selectors.consent_in_force import in_force_sql
from accounts.services import tokens

# Plain SQL for speed: it runs for each page of a list.
_CONSENT = f"{in_force_sql('a.id', '%(scope)s')} AS consent"
_ACCOUNT = f"SELECT a.*, {_CONSENT} FROM accounts_linkedaccount a WHERE a.id = %(account)s"  # noqa: S608
_WITH_TOKEN = f"""
SELECT a.*, t.ciphertext, t.expires_at, {_CONSENT} FROM accounts_linkedaccount a
LEFT JOIN accounts_accesstoken t ON t.account_id = a.id WHERE a.id = %(account)s
"""  # noqa: S608
_STANDING = f"""
SELECT a.unlinked_at, a.paused_at, a.needs_reconnect_since, a.reconnect_reason, a.kind,
    a.granted_permissions, {_CONSENT} FROM accounts_linkedaccount a WHERE a.id = %(account)s
"""  # noqa: S608


class _GateRow(NamedTuple):
    unlinked_at: datetime | None
    paused_at: datetime | None
    needs_reconnect_since: datetime | None
    reconnect_reason: str
    kind: str
    granted_permissions: list[str]
    consent: bool | None


def check(account_id: int, scope: Scope) -> LinkedAccount:
    """Return the account, if `scope` may be used at this moment; one query.

    Raises NotFound (erased), Conflict (`unlinked`, `paused`), ConsentMissing, NeedsReconnect,
    PermissionMissing (Instagram was not permitted what the scope needs).
    """
    return _checked(_ACCOUNT, account_id, scope)


def admit(account_id: int, scope: Scope, now: datetime) -> tuple[LinkedAccount, str]:
    """As `check`, with the decrypted token, for the very next request; still one query."""
    account = _checked(_WITH_TOKEN, account_id, scope)
    stored = account.__dict__
    return account, tokens.read(stored["ciphertext"], stored["expires_at"], now)


def _checked(statement: str, account_id: int, scope: Scope) -> LinkedAccount:
    values = {"account": account_id, "scope": scope.value}
    for account in LinkedAccount.objects.raw(statement, values):
        _refuse(account, account.__dict__["consent"], scope)
        return account
    raise NotFound


def ask(account_id: int, scope: Scope) -> None:
    """Pass, or raise as `check` does: for callers that have the account already."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"account": account_id, "scope": scope.value})
        row = cursor.fetchone()
    if row is None:
        raise NotFound
    _refuse(_GateRow(*row), row[-1], scope)


def _refuse(found: LinkedAccount | _GateRow, consent: bool | None, scope: Scope) -> None:
    if found.unlinked_at:
        raise Conflict("unlinked", _("This account is unlinked. Link it again to go on."))
    if found.paused_at:
        raise Conflict("paused", _("This account is paused. Resume it to go on."))
    if not consent:
        raise ConsentMissing(scope)
    if found.needs_reconnect_since:
        raise NeedsReconnect(found.reconnect_reason)
    proven = found.kind == LinkedAccount.Kind.OAUTH
    if proven and not permissions_needed(scope) <= set(found.granted_permissions):
        raise PermissionMissing
