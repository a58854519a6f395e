"""Ownership of an archive: refuse another account's, ask the member where it is unclear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput
from accounts.models import LinkedAccount
from followersync.models import ArchiveImport, SyncSettings, WatchedExport
from followersync.sources.archive import Archive, Problem
from followersync.sources.archive.wording import DETAILS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

FIELD = "archive"
UNKNOWN: Final = "archive_owner_unknown"
RENAMED: Final = "archive_owner_renamed"
QUESTIONS: Final[dict[str, StrOrPromise]] = {
    UNKNOWN: _(
        "This archive does not say whose it is. Nothing was changed. "
        "Confirm that it is the export of this account, and it will be imported."
    ),
    RENAMED: _(
        "This archive bears another name than this account. Nothing was changed. If you have "
        "changed your name at Instagram, confirm that it is the export of this account, and it "
        "will be imported under the new name."
    ),
}


class OwnerQuestion(InvalidInput):
    """It is not certain that the archive is this account's: only the member can say.

    `stated_owner`: the name in it, None where there is none.
    """

    def __init__(self, code: str, detail: StrOrPromise, stated_owner: str | None) -> None:
        super().__init__(code, detail, FIELD)
        self.stated_owner = stated_owner


def owner_is_implied(account: LinkedAccount, channel: str) -> bool:
    """Whether a nameless archive is taken for this account's because the sender named the account.

    A program or an operator has named it, and there is no list yet that a wrong archive could
    damage. A member on the page may have picked the wrong file and can be asked. A data-transfer
    tool's files reach an account only where `transfer_routing.account_for` found no other.
    """
    if channel == "web":
        return False
    if channel == "transfer":
        return True
    return not SyncSettings.objects.filter(account=account, baseline_at__isnull=False).exists()


def check(
    archive: Archive, account: LinkedAccount, *, confirmed: bool, named: bool = False
) -> None:
    """Refuse an archive of another account, ask about one that may be.

    `confirmed`: the member says that it is this account's. Then it need not name its owner; and an
    account kept by archives alone may have been renamed, which nothing else would show. `named`:
    see `owner_is_implied`. A word in a name that anybody may have chosen states no owner: it
    suffices where it is this account's name, and is a reason to ask where it is not. Raises
    InvalidInput (`archive_foreign_owner`) or OwnerQuestion.
    """
    stated, called = archive.owner_username, account.username.lower()
    if stated == called:
        return
    if stated is None:
        if not confirmed and not named and archive.owner_hint != called:
            raise OwnerQuestion(UNKNOWN, QUESTIONS[UNKNOWN], None)
        return
    if account.is_proven or _is_of_another_account(stated, account):
        raise refused(Problem.FOREIGN_OWNER)
    if not confirmed:
        raise OwnerQuestion(RENAMED, QUESTIONS[RENAMED], stated)


def take_name(archive: Archive, account: LinkedAccount) -> None:
    """Rename an account kept by archives alone after its newest archive.

    Call it once `check` has passed and the archive is imported. Exports that its watched folder
    brought under the new name, and that were asked about, are offered again.
    """
    name = archive.owner_username
    if name is None or name == account.username.lower() or account.is_proven:
        return
    later = ArchiveImport.objects.filter(
        account=account, exported_on__gt=archive.exported_on, run__state="succeeded"
    )
    if archive.exported_on is not None and later.exists():
        return
    account.username = name
    account.save(update_fields=["username"])
    WatchedExport.objects.filter(account_id=account.pk, error_code=RENAMED).delete()


def refused(problem: Problem) -> InvalidInput:
    """The archive's problem as InvalidInput."""
    return InvalidInput(problem.value, DETAILS[problem], FIELD)


def _is_of_another_account(name: str, account: LinkedAccount) -> bool:
    """Whether the member has also linked the account of this name: then it is that one's."""
    return (
        LinkedAccount.objects.filter(
            owner_id=account.owner_id, username__iexact=name, unlinked_at__isnull=True
        )
        .exclude(pk=account.pk)
        .exists()
    )
