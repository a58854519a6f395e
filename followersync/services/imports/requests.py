"""Import requests: store an archive, open its run, advance it, and answer its question."""

from __future__ import annotations

import logging
import tempfile
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts import clock, files, registry
from accounts.connectivity import GONE
from accounts.errors import Conflict, ConsentMissing, NotFound, ThreadsiteError
from accounts.models import User
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.services import gate
from followersync.errors import LostClaim, SyncRunning
from followersync.models import (
    ArchiveImport,
    Mode,
    SyncRun,
    TransferredItem,
    Trigger,
    WatchedExport,
)
from followersync.services.imports import ownership, questions, runner
from followersync.services.sync import lease as leases
from followersync.services.sync.settings import settings_of
from followersync.sources.archive import (
    Archive,
    ArchiveError,
    Problem,
    check_container,
    reader_process,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import QuerySet

    from accounts.models import LinkedAccount
    from followersync.services.sync.lease import Lease

logger = logging.getLogger(__name__)

TASK = "followersync.tasks.advance_run"
ATTEMPTS = 3
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=15)
# An archive that fills the disk by itself would do so at each attempt.
ROOM_WITHIN = timedelta(days=1)
LARGEST = 4 << 30
MISSING = _("The archive is no longer there. Please send it again.")
#: An archive may be stored a moment before its run is opened.
UNWANTED = timedelta(hours=1)


def request_import(
    *,
    account: LinkedAccount,
    uploaded_file: IO[bytes],
    channel: str,
    file_name: str = "",
    owner_confirmed: bool = False,
) -> SyncRun:
    """Store the archive, open a run for it and enqueue it; only the queue reads the archive.

    `uploaded_file`: binary and seekable; its `name`, or `file_name`, often states owner and day.
    `owner_confirmed`: the member says that it is this account's; where it states another name, an
    account kept by archives alone was renamed, and gets that name. Raises InvalidInput
    (`archive_…`) for what cannot be an archive by its name, its first and its last bytes,
    SyncRunning while a run of the account is open, and the gate's errors. Nothing is stored then.
    Other problems of the archive are recorded in the run later.
    """
    gate.check(account.pk, Scope.FOLLOWERS)
    name = Path(file_name or str(getattr(uploaded_file, "name", "") or "")).name
    check_form(uploaded_file, name)
    try:
        stored, size = files.keep(files.Area.IMPORTS, uploaded_file, account=account, most=LARGEST)
    except ValueError:
        raise ownership.refused(Problem.TOO_LARGE) from None
    except files.StorageFailed as error:
        # A full disk is reported as such, as in upload handlers.
        if error.no_room is not None:
            raise error.no_room from None
        raise
    job = ArchiveImport(
        account=account,
        channel=channel,
        stored=stored,
        file_name=name[:255],
        size=size,
        owner_confirmed=owner_confirmed,
    )
    try:
        return _open(job)
    except BaseException:
        files.discard(stored)
        raise


def answer(*, account: LinkedAccount, run_id: int) -> SyncRun:
    """Import the archive that the run asked about: the member says that it is this account's.

    Raises NotFound where the question is closed, SyncRunning while a run of the account is open
    (the question stays open then), and the gate's errors: consent is checked anew.
    """
    gate.check(account.pk, Scope.FOLLOWERS)
    with transaction.atomic():
        asked = questions.take(account, run_id)
        run = _open(
            ArchiveImport(
                account=account,
                channel=asked.channel,
                stored=asked.stored,
                file_name=asked.file_name,
                size=asked.size,
                owner_confirmed=True,
            )
        )
        # An export of a watched folder is found by its run.
        watched = WatchedExport.objects.filter(account_id=account.pk, run_id=run_id)
        watched.update(run_id=run.pk, error_code="")
    return run


def check_form(source: IO[bytes], name: str) -> None:
    """Refuse what cannot be an archive, at a bounded cost. Raises InvalidInput."""
    try:
        check_container(source, name)
    except ArchiveError as error:
        raise ownership.refused(error.problem) from error


@contextmanager
def opened_in_process(
    file: IO[bytes], name: str, *, waiting: reader_process.Waiting = reader_process.STILL
) -> Iterator[Archive]:
    """The archive, read in a process of its own; raises as `reader_process.opened` does."""
    now, scratch = int(clock.now().timestamp()), str(files.scratch())
    with reader_process.opened(
        file, name=name, now=now, scratch=scratch, waiting=waiting
    ) as archive:
        yield archive


def is_import(run_id: int) -> bool:
    """Whether this run is an import; the queue has one task for all runs."""
    return SyncRun.objects.filter(pk=run_id, mode=Mode.IMPORT).exists()


def advance(run_id: int, *, watch: Callable[[dict[str, int | None]], None] | None = None) -> bool:
    """Do the import, unless another worker has it.

    True where the database went away in the middle: it must be done again. A worker that dies
    leaves nothing half done; the next one begins anew.
    """
    lease = _take_turn(run_id)
    if lease is None:
        return False
    job = ArchiveImport.objects.select_related("account", "run").get(run_id=run_id)
    try:
        kept = _work(lease, job, watch)
    except LostClaim:
        logger.info("import %s was ended by somebody else", run_id)
        return False
    except GONE as error:
        return leases.wait_out_outage(lease, error)
    finally:
        _wake_next(job.account.owner_id)
    if not kept:
        files.discard(job.stored)
        ArchiveImport.objects.filter(pk=job.pk).update(stored="")
    return False


def _take_turn(run_id: int) -> Lease | None:
    """The turn to read, unless another archive of the same member is being read.

    An archive may occupy a worker as long as its reader's allowance lasts; a member may have many
    accounts, and workers are few. Decided under a lock on the member's row.
    """
    run = SyncRun.objects.select_related("account").filter(pk=run_id).first()
    if run is None:
        return None
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).filter(pk=run.account.owner_id).first()
        alive = clock.now() - clock.for_real(leases.LEASE)
        reading = _of_member(run.account.owner_id).filter(
            state=SyncRun.State.RUNNING, worker__isnull=False, heartbeat_at__gte=alive
        )
        return None if reading.exclude(pk=run_id).exists() else leases.take(run_id)


def _wake_next(owner_id: int) -> None:
    """Enqueue the member's oldest import that waits for its turn."""
    queued = _of_member(owner_id).filter(state=SyncRun.State.QUEUED).order_by("pk").first()
    if queued is not None:
        enqueue(TASK, queued.pk)


def _of_member(owner_id: int) -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(account__owner_id=owner_id, mode=Mode.IMPORT)


def _work(
    lease: Lease, job: ArchiveImport, watch: Callable[[dict[str, int | None]], None] | None
) -> bool:
    """Read it and close its run. True where the file is kept for the member's answer."""
    try:
        if job.run.attempts >= ATTEMPTS:
            raise ThreadsiteError("import_gave_up", _("The import broke off several times."))
        leases.commit(lease, **leases.increments(attempts=1), started_at=clock.now())
        with (
            files.scratch_copy(job.stored, beat=_renewing(lease)) as file,
            opened_in_process(
                file, job.file_name, waiting=reader_process.Waiting(lambda: leases.commit(lease))
            ) as archive,
        ):
            _check_owner(lease, job, archive)
            runner.run(lease, job, archive, watch=watch)
        ownership.take_name(archive, job.account)
    except ownership.OwnerQuestion as question:
        with transaction.atomic():
            _close(lease, SyncRun.State.CANCELLED, question)
            return questions.ask(job, question)
    except ArchiveError as error:
        ArchiveImport.objects.filter(pk=job.pk).update(problem_file=error.member[:255])
        _close(lease, SyncRun.State.FAILED, ownership.refused(error.problem))
    except files.StorageFailed as error:
        logger.warning("import %s waits for the storage of files: %s", lease.run_id, error)
        _wait(lease, job)
        return True
    except FileNotFoundError:
        _close(lease, SyncRun.State.FAILED, ThreadsiteError("file_missing", MISSING))
    except (NotFound, Conflict, ConsentMissing) as error:
        _close(lease, SyncRun.State.CANCELLED, error)
    except ThreadsiteError as error:
        _close(lease, SyncRun.State.FAILED, error)
    except (LostClaim, *GONE):
        raise
    except Exception as error:
        if files.is_no_room(error) and clock.now() - job.run.created_at < ROOM_WITHIN:
            logger.warning("import %s waits for room on this host: %s", lease.run_id, error)
            _wait(lease, job)
            return True
        logger.exception("import %s failed by a fault of ours", lease.run_id)
        code = "import_gave_up" if files.is_no_room(error) else "bug"
        _close(lease, SyncRun.State.FAILED, ThreadsiteError(code))
    return False


def _check_owner(lease: Lease, job: ArchiveImport, archive: Archive) -> None:
    """Find the owner, by consent in force, and store what names and headers say."""
    account = gate.check(job.account_id, Scope.FOLLOWERS)
    named = ownership.owner_is_implied(account, job.channel)
    try:
        ownership.check(archive, account, confirmed=job.owner_confirmed, named=named)
    except ownership.OwnerQuestion:
        # The member is not asked about an unreadable archive.
        _read_through(lease, archive)
        raise
    job.dialect, job.approximate = archive.dialect, archive.approximate
    job.exported_on = archive.exported_on
    job.save(update_fields=["dialect", "approximate", "exported_on"])


def _read_through(lease: Lease, archive: Archive) -> None:
    """Read to the end without storing anything, renewing the lease."""
    renew = _renewing(lease)
    for _batch in archive.batches():
        renew()


def _renewing(lease: Lease) -> Callable[[], None]:
    """A function that renews the lease at most every few seconds. Raises LostClaim."""
    renewed = time.monotonic()

    def renew() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > runner.HEARTBEAT_SECONDS:
            renewed = time.monotonic()
            leases.commit(lease)

    return renew


def import_now(
    *,
    account: LinkedAccount,
    path: Path,
    owner_confirmed: bool = False,
    watch: Callable[[dict[str, int | None]], None] | None = None,
) -> SyncRun:
    """Import an archive (zip, unpacked folder or single list) at once, in the foreground.

    Raises what `request_import` does; a later failure is recorded in the run.
    """
    if path.is_dir():
        with tempfile.TemporaryFile(dir=files.scratch()) as file:
            runner.pack(path, file)
            name = f"{path.resolve().name}.zip"
            run = _request_now(account, file, name, owner_confirmed)
    else:
        with path.open("rb") as file:
            run = _request_now(account, file, path.name, owner_confirmed)
    advance(run.pk, watch=watch)
    run.refresh_from_db()
    return run


def _request_now(
    account: LinkedAccount, file: IO[bytes], name: str, owner_confirmed: bool
) -> SyncRun:
    return request_import(
        account=account,
        uploaded_file=file,
        channel="staff",
        file_name=name,
        owner_confirmed=owner_confirmed,
    )


def sweep() -> int:
    """Delete archives with an expired question, and files that no run uses any more."""
    now = clock.now()
    expired = questions.expire(now)
    wanted = Q(run__state__in=SyncRun.OPEN) | ~Q(question="")
    known = set(ArchiveImport.objects.filter(wanted).values_list("stored", flat=True))
    before = now - clock.for_real(UNWANTED)
    return expired + files.discard_unwanted(files.Area.IMPORTS, known, before)


def register() -> None:
    """Waiting archives are erased with their account, files before rows."""
    registry.register_eraser("imports", erase)
    registry.register_scope_eraser(Scope.FOLLOWERS, "imports", erase)


def erase(account_id: int, limit: int) -> int:
    """Delete files and rows of at most `limit` imports."""
    jobs = list(ArchiveImport.objects.filter(account_id=account_id)[:limit])
    files.discard(*(job.stored for job in jobs))
    ArchiveImport.objects.filter(pk__in=[job.pk for job in jobs]).delete()
    return len(jobs)


def _open(job: ArchiveImport) -> SyncRun:
    """Open a run for the archive and enqueue its work. Raises SyncRunning."""
    with transaction.atomic():
        run = _open_run(job.account)
        job.run, job.created_at = run, run.created_at
        job.save()
        enqueue(TASK, run.pk)
    return run


def _open_run(account: LinkedAccount) -> SyncRun:
    settings_of(account)
    run, is_new = leases.open_run(account, trigger=Trigger.IMPORT, mode=Mode.IMPORT)
    if not is_new:
        raise SyncRunning(run)
    return run


def _wait(lease: Lease, job: ArchiveImport) -> None:
    """Try again, less often the longer it waits; this attempt does not count."""
    now = clock.now()
    pause = min((now - job.run.created_at) / 4, clock.for_real(LONGEST_PAUSE))
    leases.commit(
        lease,
        state=SyncRun.State.WAITING,
        worker=None,
        not_before=now + max(pause, clock.for_real(SHORTEST_PAUSE)),
        attempts=job.run.attempts,
    )


def _close(lease: Lease, state: str, error: ThreadsiteError) -> None:
    """End the run without a change. An import never affects the account's schedule."""
    now = clock.now()
    with translation.override("en"):
        detail = str(error.detail)
    leases.commit(
        lease,
        state=state,
        finished_at=now,
        worker=None,
        error_code=error.code,
        error_detail=detail,
        heartbeat_at=now,
    )
    # The folder or transfer that brought it shows its result.
    for model in (WatchedExport, TransferredItem):
        brought = model._default_manager.filter(account_id=lease.account_id, run_id=lease.run_id)
        brought.update(error_code=error.code)
    logger.warning("import %s ended as %s: %s", lease.run_id, state, error.code)
