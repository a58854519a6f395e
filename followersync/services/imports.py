"""Importing Instagram's exports: ask for it, work it off, say what came of it."""

from __future__ import annotations

import logging
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.conf import settings as site
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts import clock, registry
from accounts.errors import Conflict, ConsentMissing, NotFound, ThreadsiteError
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.services import gate
from followersync.errors import LostClaim, SyncRunning
from followersync.models import ArchiveImport, Mode, SyncRun, Trigger
from followersync.services import claims, importing, owners
from followersync.services.settings import settings_of
from followersync.sources.archive import Archive, ArchiveError, Problem, open_archive

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.models import LinkedAccount
    from followersync.services.claims import Claim

logger = logging.getLogger(__name__)

TASK = "followersync.tasks.advance_run"
ATTEMPTS = 3
LARGEST = 4 << 30
FIELD = "archive"


def request_import(
    *,
    account: LinkedAccount,
    uploaded_file: IO[bytes],
    channel: str,
    file_name: str = "",
    owner_confirmed: bool = False,
) -> SyncRun:
    """Keep the archive, open a run for it and ring the queue.

    `uploaded_file`: binary and seekable; its `name`, or `file_name`, often tells owner and day.
    `owner_confirmed`: the member says that it is this account's; where another name stands in it,
    an account that is kept by archives alone was renamed, and is called so from now on.
    Raises InvalidInput for what is no follower list of this account (codes `archive_…`;
    `archive_owner_unknown`: ask, and come again with `owner_confirmed`), SyncRunning while a run
    of the account is open, and whatever the gate raises. Nothing is kept then.
    """
    gate.check(account.pk, Scope.FOLLOWERS)
    name = Path(file_name or str(getattr(uploaded_file, "name", "") or "")).name
    archive = look_into(uploaded_file, name)
    named = owners.need_not_ask(account, channel)
    owners.check(archive, account, confirmed=owner_confirmed, named=named)
    stored, size = _keep(uploaded_file, name)
    try:
        with transaction.atomic():
            run = _open_run(account)
            ArchiveImport.objects.create(
                account=account,
                run=run,
                channel=channel,
                stored=stored,
                file_name=name[:255],
                size=size,
                created_at=run.created_at,
                dialect=archive.dialect,
                approximate=archive.approximate,
                exported_on=archive.exported_on,
            )
            owners.take_name(archive, account)
            enqueue(TASK, run.pk)
    except BaseException:
        _discard(stored)
        raise
    return run


def look_into(source: IO[bytes] | Path, name: str) -> Archive:
    """The archive, opened. Raises InvalidInput in the member's words where it is none."""
    try:
        return open_archive(source, name=name, now=int(clock.now().timestamp()))
    except ArchiveError as error:
        raise owners.refused(error.problem) from error


def is_import(run_id: int) -> bool:
    """Whether this run is one of ours; the queue has one task for all."""
    return SyncRun.objects.filter(pk=run_id, mode=Mode.IMPORT).exists()


def advance(run_id: int, *, watch: Callable[[dict[str, int | None]], None] | None = None) -> bool:
    """Do the import, or leave it to whoever does it. Never has more to do afterwards: False.

    A worker that dies in it leaves nothing half done; the next one begins anew.
    """
    held = claims.claim(run_id)
    if held is None:
        return False
    job = ArchiveImport.objects.select_related("account", "run").get(run_id=run_id)
    try:
        _work(held, job, watch)
    except LostClaim:
        logger.info("import %s was ended by somebody else", run_id)
        return False
    _discard(job.stored)
    ArchiveImport.objects.filter(pk=job.pk).update(stored="")
    return False


def _work(
    held: Claim, job: ArchiveImport, watch: Callable[[dict[str, int | None]], None] | None
) -> None:
    try:
        if job.run.attempts >= ATTEMPTS:
            raise ThreadsiteError("import_gave_up", _("The import broke off several times."))
        claims.fence(held, **claims.added(attempts=1), started_at=clock.now())
        path = folder() / job.stored
        importing.run(held, job, look_into(path, job.file_name), watch=watch)
    except ArchiveError as error:
        _close(held, SyncRun.State.FAILED, owners.refused(error.problem))
    except (NotFound, Conflict, ConsentMissing) as error:
        _close(held, SyncRun.State.CANCELLED, error)
    except ThreadsiteError as error:
        _close(held, SyncRun.State.FAILED, error)
    except LostClaim:
        raise
    except Exception:
        logger.exception("import %s failed by a fault of ours", held.run_id)
        _close(held, SyncRun.State.FAILED, ThreadsiteError("bug"))


def import_now(
    *,
    account: LinkedAccount,
    path: Path,
    owner_confirmed: bool = False,
    watch: Callable[[dict[str, int | None]], None] | None = None,
) -> SyncRun:
    """Import an archive (zip, unpacked folder or single list) here and now, in the foreground.

    Raises what `request_import` does; a failure later on stands in the run.
    """
    if path.is_dir():
        archive = look_into(path, path.name)
        named = owners.need_not_ask(account, "staff")
        owners.check(archive, account, confirmed=owner_confirmed, named=named)
        run = _request_folder(account, path)
    else:
        with path.open("rb") as file:
            run = request_import(
                account=account,
                uploaded_file=file,
                channel="staff",
                owner_confirmed=owner_confirmed,
            )
    advance(run.pk, watch=watch)
    run.refresh_from_db()
    return run


def _request_folder(account: LinkedAccount, path: Path) -> SyncRun:
    """A run for an unpacked export on this machine; its lists are zipped to be kept."""
    with tempfile.TemporaryFile() as file:
        importing.pack(path, file)
        file.seek(0)
        return request_import(
            account=account,
            uploaded_file=file,
            channel="staff",
            file_name=f"{path.resolve().name}.zip",
            owner_confirmed=True,
        )


def folder() -> Path:
    """Where archives wait to be imported; each is removed as soon as its run has ended."""
    place: Path = Path(site.THREADSITE_HOME) / "imports"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def sweep() -> int:
    """Remove archives that no open run waits for: of cancelled runs and killed workers."""
    waiting = set(
        ArchiveImport.objects.filter(run__state__in=SyncRun.OPEN).values_list("stored", flat=True)
    )
    left = [path for path in folder().iterdir() if path.name not in waiting]
    hour_ago = clock.wall().timestamp() - 3600
    old = [path for path in left if path.stat().st_mtime < hour_ago]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def register() -> None:
    """Archives that wait go with their account, the files before the rows."""
    registry.register_eraser("imports", erase)
    registry.register_scope_eraser(Scope.FOLLOWERS, "imports", erase)


def erase(account_id: int, limit: int) -> int:
    """Delete files and rows of at most `limit` imports."""
    jobs = list(ArchiveImport.objects.filter(account_id=account_id)[:limit])
    for job in jobs:
        _discard(job.stored)
    ArchiveImport.objects.filter(pk__in=[job.pk for job in jobs]).delete()
    return len(jobs)


def _open_run(account: LinkedAccount) -> SyncRun:
    settings_of(account)
    now = clock.now()
    try:
        with transaction.atomic():
            return SyncRun.objects.create(
                account=account,
                trigger=Trigger.IMPORT,
                mode=Mode.IMPORT,
                created_at=now,
                rung_at=now,
            )
    except IntegrityError:
        running = SyncRun.objects.filter(account=account, state__in=SyncRun.OPEN).first()
        if running is None:
            raise
        raise SyncRunning(running) from None


def _keep(file: IO[bytes], name: str) -> tuple[str, int]:
    """Copy the archive to where the queue finds it; its suffix tells a single list's form."""
    suffix = Path(name).suffix.lower()
    stored = f"{uuid.uuid4().hex}{suffix if suffix in ('.json', '.html') else '.zip'}"
    file.seek(0)
    path = folder() / stored
    with path.open("wb") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        size = copy.tell()
    if size > LARGEST:
        _discard(stored)
        raise owners.refused(Problem.TOO_LARGE)
    return stored, size


def _discard(stored: str) -> None:
    if stored:
        (folder() / stored).unlink(missing_ok=True)


def _close(held: Claim, state: str, error: ThreadsiteError) -> None:
    """End the run without a change. The account's schedule is none of an import's business."""
    now = clock.now()
    with translation.override("en"):
        detail = str(error.detail)
    claims.fence(
        held,
        state=state,
        finished_at=now,
        worker=None,
        error_code=error.code,
        error_detail=detail,
        heartbeat_at=now,
    )
    logger.warning("import %s ended as %s: %s", held.run_id, state, error.code)
