"""Questions about archives that only the member can answer: owner, or a renamed account.

The archive is stored until the answer. It is deleted with the answer, after KEPT, when newer ones
replace it, and with the account.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import QuerySet

from accounts import clock, files
from accounts.errors import NotFound
from followersync.models import ArchiveImport

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import LinkedAccount
    from followersync.services.imports.ownership import OwnerQuestion

KEPT: Final = timedelta(days=7)
#: Per account; with the size limit of an archive this bounds the stored bytes per account.
MOST_KEPT: Final = 3
#: Channels by which a member sent the archive. An operator has the file and gets an error at once.
_ASKED: Final = frozenset({"web", "api", "folder", "transfer"})


def ask(job: ArchiveImport, question: OwnerQuestion) -> bool:
    """Keep the archive for the answer. False where nobody can give one.

    Call it in the transaction that closes the run.
    """
    if job.channel not in _ASKED:
        return False
    ArchiveImport.objects.filter(pk=job.pk).update(
        question=question.code,
        stated_owner=question.stated_owner or "",
        kept_until=clock.now() + KEPT,
    )
    surplus = ArchiveImport.objects.filter(account_id=job.account_id).exclude(question="")
    _delete(list(surplus.order_by("-pk")[MOST_KEPT:]))
    return True


def open_questions(account: LinkedAccount) -> QuerySet[ArchiveImport]:
    """The questions that the member may answer now, newest first."""
    return (
        ArchiveImport.objects.filter(account=account, kept_until__gt=clock.now())
        .exclude(question="")
        .order_by("-pk")
    )


def take(account: LinkedAccount, run_id: int) -> ArchiveImport:
    """The archive that the run asked about, locked, with its question closed.

    The caller takes over its file. Raises NotFound where the question no longer exists. Call it in
    a transaction.
    """
    job = open_questions(account).select_for_update().filter(run_id=run_id).first()
    if job is None:
        raise NotFound
    _close([job])
    return job


def decline(account: LinkedAccount, run_id: int) -> None:
    """The archive is not this account's: delete it. Raises NotFound as `take` does."""
    with transaction.atomic():
        stored = take(account, run_id).stored
        transaction.on_commit(lambda: files.discard(stored))


def expire(now: datetime) -> int:
    """Delete archives whose question was not answered in time; returns how many."""
    with transaction.atomic():
        late = list(
            ArchiveImport.objects.select_for_update(skip_locked=True).filter(kept_until__lte=now)
        )
        _delete(late)
    return len(late)


def _delete(jobs: list[ArchiveImport]) -> None:
    stored = [job.stored for job in jobs]
    _close(jobs)
    transaction.on_commit(lambda: files.discard(*stored))


def _close(jobs: list[ArchiveImport]) -> None:
    ArchiveImport.objects.filter(pk__in=[job.pk for job in jobs]).update(
        question="", stated_owner="", kept_until=None, stored=""
    )
