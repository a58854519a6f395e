"""The steps of an erasure, in order; each deletes at most `limit` rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from allauth.socialaccount.models import SocialAccount
from django.utils import translation

from accounts import files, registry
from accounts.models import DeletionRequest, LinkedAccount
from accounts.scopes import Scope
from accounts.services import export
from accounts.services.erasure import rows, scrub
from accounts.services.erasure.data_map import ROOTS, Holding, holdings
from accounts.services.erasure.scrub import Target


@dataclass(frozen=True)
class Step:
    """`erase(limit)` returns the rows erased. A step with `once` is called only once."""

    kind: str
    erase: Callable[[int], int]
    once: bool = False


def steps(deletion: DeletionRequest, target: Target) -> Iterator[Step]:
    """Everything except the last rows (account, member), which completion deletes."""
    if deletion.scope:
        yield from _of_scope(deletion, Scope(deletion.scope))
        return
    # The queue's rows first: their owner is known from rows deleted afterwards.
    yield Step("queue rows, sessions and cache entries", lambda _limit: scrub.scrub(target), True)
    yield Step("export files", lambda _limit: export.erase_files(target.owner_id), True)
    for account_id in sorted(target.account_ids):
        yield from _of_account(account_id, target.owner_id)
    if deletion.everything:
        yield from _of_member(target.owner_id)


def _of_scope(deletion: DeletionRequest, scope: Scope) -> Iterator[Step]:
    if deletion.account_id is not None:
        for kind, erase in registry.scope_erasers(scope).items():
            yield Step(kind, partial(erase, deletion.account_id))


def _of_account(account_id: int, owner_id: int) -> Iterator[Step]:
    related = holdings("account")
    yield Step(
        "admin log",
        lambda _limit: rows.erase_admin_log(related, ROOTS["account"], account_id),
    )
    for kind, erase in registry.erasers().items():
        yield Step(kind, partial(erase, account_id))
    # Other waiting work of the account, before the rows with its keys are deleted.
    yield Step("kept files", lambda _limit: files.erase(account_ids=[account_id]), True)
    yield from _delete_rows(related, account_id)
    yield Step("sign-in by Instagram", lambda _limit: _erase_sign_in(account_id, owner_id))


def _of_member(owner_id: int) -> Iterator[Step]:
    related = holdings("member")
    yield Step(
        "admin log",
        lambda _limit: rows.erase_admin_log(related, ROOTS["member"], owner_id),
    )
    yield from _delete_rows(related, owner_id)


def _delete_rows(related: list[Holding], identity: int) -> Iterator[Step]:
    for holding in related:
        if holding.action == "delete":
            yield Step(kind_of(holding.table), partial(rows.delete_batch, holding, identity))


def _erase_sign_in(account_id: int, owner_id: int) -> int:
    """The identity at Instagram, unless another link of the member still needs it."""
    account = LinkedAccount.objects.filter(pk=account_id).first()
    if account is None:
        return 0
    ids = [i for i in (account.instagram_id, account.app_scoped_id) if i]
    again = LinkedAccount.objects.filter(
        owner_id=owner_id, instagram_id__in=ids, unlinked_at__isnull=True
    )
    if again.exists():
        return 0
    erased, _per_model = SocialAccount.objects.filter(user_id=owner_id, uid__in=ids).delete()
    return int(erased)


def kind_of(table: str) -> str:
    """A table's name in words, for receipts: always English, so that receipts compare."""
    from django.apps import apps

    with translation.override("en"):
        for model in apps.get_models(include_auto_created=True):
            if model._meta.db_table == table and not model._meta.proxy:
                return str(model._meta.verbose_name_plural)
    return table
