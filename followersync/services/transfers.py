"""Stores files that data-transfer tools push, gathers them into exports, and has them imported.

Such a tool sends file after file and tells neither the first nor the last. The lists of one
unpacked export are therefore gathered by the folder they lie in, and imported once nothing has
come for QUIET; a zip is whole as it is. A part that comes later than that is imported by itself,
and what an export leaves out is nobody's loss (docs/losses.md).
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from django.conf import settings as site
from django.db import transaction
from django.db.models import Max, Q

from accounts import clock, registry
from accounts.errors import Conflict, ThreadsiteError
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.services import gate
from followersync.models import TransferredItem
from followersync.services import imports, owners, pushed
from followersync.sources.archive import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from django.db.models import QuerySet

    from accounts.models import LinkedAccount, User
    from followersync.models import SyncRun

logger = logging.getLogger(__name__)

TASK = "followersync.tasks.take_transferred"
QUIET = timedelta(minutes=15)
# Longer than any tool repeats a delivery, and than a member's pause should keep files for.
KEPT = timedelta(days=30)
#: Bytes of one account that may wait here at a time.
MOST_WAITING = 8 << 30
BATCH = 100


class DestinationFull(ThreadsiteError):
    """No room for more of this account's files until what waits here has been imported."""

    code = "destination_full"


def receive(*, member: User, place: PurePosixPath, content: IO[bytes]) -> bool:
    """Keep one pushed file if it is of use. False: it is not, or it is here already.

    `content`: binary and seekable. Raises pushed.NobodyToReceive when the member wants no lists
    from anywhere, InvalidInput for another account's export, Conflict while the account is paused,
    and DestinationFull.
    """
    item = pushed.classify(place)
    if item is None:
        return False
    account = pushed.addressee(member, item, content)
    if account is None:
        return False
    gate.check(account.pk, Scope.FOLLOWERS)
    digest, size = pushed.fingerprint(content)
    with transaction.atomic():
        # Of two deliveries of one file at a time, the second waits here and sees the first.
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
            stored=_keep(content),
        )
        if item.zipped:
            enqueue(TASK, account.pk)
    return True


def tick() -> int:
    """Ring for accounts of which an export is together; returns how many. Clears what is old."""
    _forget_old()
    ready = list(_ready().values_list("account_id", flat=True).distinct()[:BATCH])
    for account_id in ready:
        enqueue(TASK, account_id)
    return len(ready)


def take(account_id: int) -> bool:
    """Ask for the import of the oldest export that is together. True: another one waits.

    One at a time, since each is judged by what the ones before it showed. What cannot be imported
    is noted, and never stops the others.
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
    _discard([item.stored for item in items])
    return _ready().filter(account_id=account_id).exists()


def _import(account_id: int, items: list[TransferredItem]) -> bool:
    """Ask for the import of these, and note what came of it. False: not now; the tick rings."""
    run_id, code = None, ""
    try:
        account = gate.check(account_id, Scope.FOLLOWERS)
        with _archive(items) as archive:
            run = _ask(account, archive, items[0])
            run_id, account_id = run.pk, run.account_id
    except Conflict:
        # Paused, or a run is open.
        return False
    except ThreadsiteError as error:
        code = error.code
        logger.warning("a transferred export of account %s: %s", account_id, code)
    TransferredItem.objects.filter(pk__in=[item.pk for item in items]).update(
        stored="", run_id=run_id, error_code=code, account_id=account_id
    )
    return True


def folder() -> Path:
    """Where transferred files wait for the rest of their export."""
    place: Path = Path(site.THREADSITE_HOME) / "transfers"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def register() -> None:
    """Files that wait go with their account and with the consent, before their rows."""
    registry.register_eraser("transferred_items", erase)
    registry.register_scope_eraser(Scope.FOLLOWERS, "transferred_items", erase)


def erase(account_id: int, limit: int) -> int:
    """Delete files and rows of at most `limit` items."""
    return _delete(list(TransferredItem.objects.filter(account_id=account_id)[:limit]))


def _ready() -> QuerySet[Any, dict[str, Any]]:
    """(account_id, export, pushed_at) of what is together; a zip is so at once."""
    quiet = clock.now() - clock.for_real(QUIET)
    together: QuerySet[Any, Any] = (
        TransferredItem.objects.exclude(stored="")
        .values("account_id", "export", "zipped")
        .annotate(pushed_at=Max("received_at"))
    )
    return together.filter(Q(zipped=True) | Q(pushed_at__lte=quiet))


def _ask(account: LinkedAccount, archive: IO[bytes], item: TransferredItem) -> SyncRun:
    """Ask for the import. Only the queue may look into a zip, so it alone knows its owner."""
    name = _name(item)
    if item.zipped:
        with _in_our_words(), imports.read_elsewhere(archive, name) as opened:
            account = pushed.owner_of(account, opened.owner_username)
    return imports.request_import(
        account=account, uploaded_file=archive, channel="transfer", file_name=name
    )


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except ArchiveError as error:
        raise owners.refused(error.problem) from error


def _archive(items: list[TransferredItem]) -> IO[bytes]:
    """One zip of them all, under the paths that they were pushed with."""
    if items[0].zipped:
        return (folder() / items[-1].stored).open("rb")
    target = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    # A file that was pushed again in another form stands for its earlier one.
    newest = {item.path: item for item in items}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, item in newest.items():
            inner = PurePosixPath(path).relative_to(item.export)
            archive.write(folder() / item.stored, str(inner))
    target.seek(0)
    return target


def _name(item: TransferredItem) -> str:
    name = PurePosixPath(item.export).name
    return name if item.zipped else f"{name or 'export'}.zip"


def _keep(content: IO[bytes]) -> str:
    with tempfile.NamedTemporaryFile(dir=folder(), delete=False) as copy:
        content.seek(0)
        try:
            shutil.copyfileobj(content, copy, 1 << 20)
        except OSError as error:
            Path(copy.name).unlink(missing_ok=True)
            raise DestinationFull from error
    return Path(copy.name).name


def _discard(names: list[str]) -> None:
    for name in names:
        if name:
            (folder() / name).unlink(missing_ok=True)


def _delete(items: list[TransferredItem]) -> int:
    _discard([item.stored for item in items])
    TransferredItem.objects.filter(pk__in=[item.pk for item in items]).delete()
    return len(items)


def _forget_old() -> None:
    """Rows whose time is over, and files that no row knows (of killed processes)."""
    now = clock.now()
    _delete(list(TransferredItem.objects.filter(received_at__lt=now - KEPT)[:BATCH]))
    known = set(TransferredItem.objects.exclude(stored="").values_list("stored", flat=True))
    hour_ago = (now - timedelta(hours=1)).timestamp()
    left = [path for path in folder().iterdir() if path.name not in known]
    for path in left:
        if path.stat().st_mtime < hour_ago:
            path.unlink(missing_ok=True)
