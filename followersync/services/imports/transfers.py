"""Transfers: store files that data-transfer tools push, gather them into exports, import them.

Such a tool sends file after file and marks neither the first nor the last. The lists of one
unpacked export are therefore gathered by their folder, and imported once nothing has come for
QUIET; a zip is complete. A part that comes later is imported by itself, and people missing from a
part are not lost (docs/losses.md).
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max, Q

from accounts import clock, files, registry
from accounts.errors import Conflict, ThreadsiteError
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.services import gate
from followersync.models import TransferredItem
from followersync.services.imports import ownership, requests, transfer_routing
from followersync.sources.archive import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from django.db.models import QuerySet

    from accounts.models import LinkedAccount, User
    from followersync.models import SyncRun

logger = logging.getLogger(__name__)

TASK = "followersync.tasks.import_transferred"
QUIET = timedelta(minutes=15)
# Longer than any tool repeats a delivery, and than files are kept during a member's pause.
KEPT = timedelta(days=30)
#: Waiting bytes per account.
MOST_WAITING = 8 << 30
BATCH = 100
#: A file may be stored a moment before its row is committed.
UNWANTED = timedelta(hours=1)


class DestinationFull(ThreadsiteError):
    """No room for more of this account's files until the waiting ones are imported."""

    code = "destination_full"


def receive(*, member: User, place: PurePosixPath, content: IO[bytes]) -> bool:
    """Store one pushed file if it is of use. False: it is not, or it is here already.

    `content`: binary and seekable. Raises transfer_routing.NobodyToReceive when the member wants no
    lists, InvalidInput for another account's export, Conflict while the account is paused, and
    DestinationFull.
    """
    item = transfer_routing.classify(place)
    if item is None:
        return False
    account = transfer_routing.account_for(member, item, content)
    if account is None:
        return False
    gate.check(account.pk, Scope.FOLLOWERS)
    digest, size = transfer_routing.fingerprint(content)
    with transaction.atomic():
        # Of two concurrent deliveries of one file, the second waits here and sees the first.
        type(account)._default_manager.select_for_update().get(pk=account.pk)
        mine = TransferredItem.objects.filter(account=account)
        newest = mine.filter(path=item.path).order_by("-pk").first()
        if newest is not None and newest.digest == digest:
            return False
        if sum(mine.exclude(stored="").values_list("size", flat=True)) + size > MOST_WAITING:
            raise DestinationFull
        TransferredItem.objects.create(
            account=account,
            export=item.export,
            path=item.path,
            digest=digest,
            size=size,
            zipped=item.zipped,
            received_at=clock.now(),
            stored=_keep(account, content),
        )
        if item.zipped:
            enqueue(TASK, account.pk)
    return True


def tick() -> int:
    """Enqueue accounts of which an export is complete; returns how many. Deletes old items."""
    _forget_old()
    ready = list(_ready().values_list("account_id", flat=True).distinct()[:BATCH])
    for account_id in ready:
        enqueue(TASK, account_id)
    return len(ready)


def take(account_id: int) -> bool:
    """Request the import of the oldest complete export. True: another one waits.

    One at a time, since each is judged by what the earlier ones showed. An item that cannot be
    imported is recorded, and never blocks the others.
    """
    first = _ready().filter(account_id=account_id).order_by("pushed_at", "export").first()
    if first is None:
        return False
    with transaction.atomic():
        items = list(
            TransferredItem.objects.select_for_update(skip_locked=True)
            .filter(account_id=account_id, export=first["export"])
            .exclude(stored="")
            .order_by("pk")
        )
        if not items or not _import(account_id, items):
            return False
    files.discard(*(item.stored for item in items))
    return _ready().filter(account_id=account_id).exists()


def _import(account_id: int, items: list[TransferredItem]) -> bool:
    """Request the import of these, and record the outcome. False: not now, the tick retries."""
    run_id, code = None, ""
    try:
        account = gate.check(account_id, Scope.FOLLOWERS)
        with _archive(items) as archive:
            run = _ask(account, archive, items[0])
            run_id, account_id = run.pk, run.account_id
    except Conflict:
        # Paused, or a run is open.
        return False
    except files.StorageFailed:
        raise  # the tick tries again
    except FileNotFoundError:
        code = "file_missing"
        logger.warning("a transferred export of account %s: %s", account_id, code)
    except ThreadsiteError as error:
        code = error.code
        logger.warning("a transferred export of account %s: %s", account_id, code)
    TransferredItem.objects.filter(pk__in=[item.pk for item in items]).update(
        stored="", run_id=run_id, error_code=code, account_id=account_id
    )
    return True


def register() -> None:
    """Waiting files are erased with their account and with the consent, before their rows."""
    registry.register_eraser("transferred_items", erase)
    registry.register_scope_eraser(Scope.FOLLOWERS, "transferred_items", erase)


def erase(account_id: int, limit: int) -> int:
    """Delete files and rows of at most `limit` items."""
    return _delete(list(TransferredItem.objects.filter(account_id=account_id)[:limit]))


def _ready() -> QuerySet[Any, dict[str, Any]]:
    """(account_id, export, pushed_at) of complete exports; a zip is complete at once."""
    quiet = clock.now() - clock.for_real(QUIET)
    together: QuerySet[Any, Any] = (
        TransferredItem.objects.exclude(stored="")
        .values("account_id", "export", "zipped")
        .annotate(pushed_at=Max("received_at"))
    )
    return together.filter(Q(zipped=True) | Q(pushed_at__lte=quiet))


def _ask(account: LinkedAccount, archive: IO[bytes], item: TransferredItem) -> SyncRun:
    """Request the import. Only the queue may read a zip, so it alone knows its owner."""
    name = _name(item)
    if item.zipped:
        with _as_invalid_input(), requests.opened_in_process(archive, name) as opened:
            account = transfer_routing.owner_of(account, opened.owner_username)
    return requests.request_import(
        account=account, uploaded_file=archive, channel="transfer", file_name=name
    )


@contextmanager
def _as_invalid_input() -> Iterator[None]:
    try:
        yield
    except ArchiveError as error:
        raise ownership.refused(error.problem) from error


@contextmanager
def _archive(items: list[TransferredItem]) -> Iterator[IO[bytes]]:
    """One zip of all items, under the paths that they were pushed with."""
    if items[0].zipped:
        with files.scratch_copy(items[-1].stored) as archive:
            yield archive
        return
    with tempfile.TemporaryFile(dir=files.scratch()) as target:
        _pack(items, target)
        target.seek(0)
        yield target


def _pack(items: list[TransferredItem], target: IO[bytes]) -> None:
    # A file that was pushed again in another form replaces its earlier one.
    newest = {item.path: item for item in items}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, item in newest.items():
            inner = PurePosixPath(path).relative_to(item.export)
            with files.opened(item.stored) as source, archive.open(str(inner), "w") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)


def _name(item: TransferredItem) -> str:
    name = PurePosixPath(item.export).name
    return name if item.zipped else f"{name or 'export'}.zip"


def _keep(account: LinkedAccount, content: IO[bytes]) -> str:
    try:
        return files.keep(files.Area.TRANSFERS, content, account=account)[0]
    except files.StorageFailed as error:
        raise DestinationFull from error


def _delete(items: list[TransferredItem]) -> int:
    files.discard(*(item.stored for item in items))
    TransferredItem.objects.filter(pk__in=[item.pk for item in items]).delete()
    return len(items)


def _forget_old() -> None:
    """Delete expired rows, and files without a row (of killed processes)."""
    now = clock.now()
    _delete(list(TransferredItem.objects.filter(received_at__lt=now - KEPT)[:BATCH]))
    known = TransferredItem.objects.exclude(stored="").values_list("stored", flat=True)
    files.discard_unwanted(files.Area.TRANSFERS, known, now - clock.for_real(UNWANTED))
