"""Makes exports in the queue: one dataset after another, in constant memory.

A killed worker's unfinished file is deleted and made again: a ZIP cannot be continued. The lease is
renewed as rows are written; losing it (an erasure has begun, or another worker took over) ends the
work and deletes the file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts import clock, files, queue
from accounts.errors import Conflict
from accounts.models import DataExport, User
from accounts.services.export import datasets
from accounts.services.export.archive import Archive

RUN = "accounts.tasks.run_export"
LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 5
KEPT_DAYS = 7
ROWS_PER_BEAT = 20_000

log = logging.getLogger(__name__)
State = DataExport.State


class LeaseLost(Exception):
    """The export was erased or taken over."""


def request_export(*, owner: User) -> DataExport:
    """Request an export. Raises Conflict (`export_running`) while another is being made."""
    try:
        with transaction.atomic():
            export = DataExport.objects.create(owner=owner, created_at=clock.now())
            queue.enqueue(RUN, export.pk)
            queue.enqueue("accounts.tasks.notify_member", owner.pk, "export_requested")
            return export
    except IntegrityError:
        raise Conflict(
            "export_running", _("A copy is being made already. It appears here when it is ready.")
        ) from None


def due() -> list[int]:
    """Exports without a lease."""
    return list(
        DataExport.objects.filter(_free(), state__in=DataExport.OPEN)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def advance(export_id: int) -> bool:
    """Make the file; returns False: an export is made in one go or begun again later."""
    export = _claim(export_id)
    if export is None:
        return False
    try:
        files.discard_incomplete(files.Area.EXPORTS, owner_id=export.owner_id)
        _write(export)
    except LeaseLost:
        log.info("Export %s was taken away", export.pk)
    except files.StorageFailed as error:
        log.warning("Export %s waits for the storage of files: %s", export.pk, error)
        DataExport.objects.filter(pk=export.pk, worker=export.worker).update(
            state=State.QUEUED,
            claimed_until=clock.now() + clock.for_real(LEASE),
            attempts=F("attempts") - 1,
        )
    except Exception:
        log.exception("Export %s failed", export.pk)
        state = State.FAILED if export.attempts >= MOST_ATTEMPTS else State.QUEUED
        DataExport.objects.filter(pk=export.pk, worker=export.worker).update(
            state=state, claimed_until=clock.now() + clock.for_real(LEASE)
        )
    return False


def _write(export: DataExport) -> None:
    found = list(datasets.datasets(export.owner))
    with files.writing(files.Area.EXPORTS, owner=export.owner) as file, Archive(file) as archive:
        for number, dataset in enumerate(found, start=1):
            progress = {"dataset": dataset.name, "datasets": number - 1, "of": len(found)}
            rows = _watched(dataset.rows(), export, progress)
            archive.add(dataset.name, rows)
        archive.add_text("README.txt", datasets.readme(export))
    try:
        _make_ready(export, file.name, file.size, of=len(found))
    except BaseException:
        files.discard(file.name)
        raise


@transaction.atomic
def _make_ready(export: DataExport, name: str, size: int, *, of: int) -> None:
    """Raises LeaseLost."""
    _beat(export, {"dataset": "", "datasets": of, "of": of})
    now = clock.now()
    DataExport.objects.filter(pk=export.pk).update(
        state=State.READY,
        finished_at=now,
        expires_at=now + timedelta(days=KEPT_DAYS),
        path=name,
        size=size,
        claimed_until=None,
    )


def _watched(
    rows: Iterator[dict[str, object]], export: DataExport, progress: dict[str, object]
) -> Iterator[dict[str, object]]:
    _beat(export, {**progress, "rows": 0})
    for number, row in enumerate(rows, start=1):
        if number % ROWS_PER_BEAT == 0:
            _beat(export, {**progress, "rows": number})
        yield row


def _beat(export: DataExport, progress: dict[str, object]) -> None:
    running = DataExport.objects.filter(
        pk=export.pk, worker=export.worker, state=State.RUNNING
    ).update(progress=progress, claimed_until=clock.now() + clock.for_real(LEASE))
    if not running:
        raise LeaseLost


def _claim(export_id: int) -> DataExport | None:
    claimed = DataExport.objects.filter(_free(), pk=export_id, state__in=DataExport.OPEN).update(
        state=State.RUNNING,
        worker=queue.new_worker_id(),
        claimed_until=clock.now() + clock.for_real(LEASE),
        attempts=F("attempts") + 1,
    )
    if not claimed:
        return None
    export = DataExport.objects.select_related("owner").get(pk=export_id)
    if export.attempts > MOST_ATTEMPTS:
        DataExport.objects.filter(pk=export.pk).update(state=State.FAILED)
        return None
    return export


def end_leases(lowest: UUID, highest: UUID) -> int:
    """End the leases of workers known to be dead."""
    return DataExport.objects.filter(
        state=State.RUNNING, worker__gte=lowest, worker__lte=highest
    ).update(claimed_until=None)


def _free() -> Q:
    return Q(claimed_until__isnull=True) | Q(claimed_until__lt=clock.now())
