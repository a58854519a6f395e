"""Nightly work: begun at the site's hour, done in slices by the queue, one after another.

Each piece has a row with its cursor. Slices are short, so that others get their turn; after a kill
the work continues from the last cursor, and the next night finishes what one did not.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Case, JSONField, Q, QuerySet, Value, When

from accounts import clock, files
from accounts.models import NightJob
from accounts.queue import enqueue, new_worker_id
from accounts.registry import NightWork, Progress
from accounts.services import export, residue, retention
from accounts.services.erasure import erasure_list

TASK: Final = "accounts.tasks.work_night"
SLICE_SECONDS: Final = 10.0
LEASE: Final = timedelta(minutes=3)
#: Longer work is logged: seconds of one night, and of one slice.
LONG_SECONDS: Final = 600.0
LONG_SLICE_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


def jobs() -> dict[str, NightWork]:
    """All nightly work, in this order."""
    return {
        "expired copies": _once(export.expire),
        **{f"retention: {rule}": work for rule, work in retention.work().items()},
        "kept files": _once(files.sweep),
        "list of erasures": _once(erasure_list.ship),
        **{f"residue: {part}": work for part, work in residue.WORK.items()},
    }


def enqueue_due() -> int:
    """Begin the night if its hour has come, and enqueue the next piece; returns how many."""
    _begin(tonight(clock.now()))
    job = _next()
    if job is None:
        return 0
    enqueue(TASK, job.pk)
    return 1


def tonight(now: datetime) -> date:
    """The date of the night that began last, in the site's zone."""
    local = now.astimezone(ZoneInfo(settings.SITE_TIME_ZONE))
    return local.date() - timedelta(days=local.hour < settings.NIGHTLY_HOUR)


def work_slice(job_id: int, *, seconds: float = SLICE_SECONDS) -> bool:
    """Do one slice of a piece; True if any piece has more to do at once."""
    job = _claim(job_id)
    if job is None:
        return False
    work = jobs().get(job.name)
    progress = Progress(job.cursor, job.memory)
    begun = time.monotonic()
    done = 0
    if work is None:
        progress.finished = True  # a rule that was switched off meanwhile
    else:
        try:
            done = work(progress, begun + seconds)
        except Exception as error:
            log.exception("Nightly work %s failed and will be tried again", job.name)
            _note_failure(job, error)
            return _next() is not None
    _note_slice(job, progress, done, time.monotonic() - begun)
    return _next() is not None


def run(names: list[str] | None = None) -> Iterator[NightJob]:
    """Do all work, or the pieces in `names`, at once; yields each piece when it is done."""
    _begin(tonight(clock.now()))
    for name in names or list(jobs()):
        _restart(NightJob.objects.filter(name=name), tonight(clock.now()))
        job = NightJob.objects.get(name=name)
        while job.finished_at is None and not job.failures:
            work_slice(job.pk)
            job.refresh_from_db()
        yield job


def _begin(night: date) -> None:
    """New pieces of work wait for the next night; the others begin again, once per night."""
    now = clock.now()
    names = list(jobs())
    known = set(NightJob.objects.values_list("name", flat=True))
    NightJob.objects.bulk_create(
        (
            NightJob(name=name, night=night, started_at=now, finished_at=now)
            for name in names
            if name not in known
        ),
        ignore_conflicts=True,
    )
    over = NightJob.objects.filter(night__lt=night, name__in=names)
    for name in list(over.filter(finished_at=None).values_list("name", flat=True)):
        log.warning("Nightly work %s was not finished within its night; it goes on.", name)
    _restart(over, night)
    NightJob.objects.exclude(name__in=names).delete()


def _restart(rows: QuerySet[NightJob], night: date) -> int:
    """Unfinished work keeps its cursor. One statement, so that hosts begin a night once."""
    return rows.update(
        night=night,
        started_at=clock.now(),
        cursor=Case(When(finished_at=None, then="cursor"), default=Value({}, JSONField())),
        finished_at=None,
        done=0,
        slices=0,
        seconds=0.0,
        longest=0.0,
        failures=0,
        not_before=None,
    )


def _next() -> NightJob | None:
    """The first unfinished piece; None while a worker is on one: they take turns."""
    now = clock.now()
    order = {name: place for place, name in enumerate(jobs())}
    unfinished = list(NightJob.objects.filter(finished_at=None))
    if any(job.claimed_until is not None and job.claimed_until > now for job in unfinished):
        return None
    ready = [job for job in unfinished if job.not_before is None or job.not_before <= now]
    return min(ready, key=lambda job: order.get(job.name, len(order)), default=None)


def _claim(job_id: int) -> NightJob | None:
    now, worker = clock.now(), new_worker_id()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    waited = Q(not_before=None) | Q(not_before__lte=now)
    claimed = NightJob.objects.filter(free, waited, pk=job_id, finished_at=None).update(
        worker=worker, claimed_until=now + clock.for_real(LEASE)
    )
    return NightJob.objects.get(pk=job_id) if claimed else None


def end_leases(lowest: UUID, highest: UUID) -> int:
    """End the leases of workers known to be dead."""
    return NightJob.objects.filter(
        finished_at=None, claimed_until__isnull=False, worker__gte=lowest, worker__lte=highest
    ).update(claimed_until=None)


def _note_slice(job: NightJob, progress: Progress, done: int, seconds: float) -> None:
    now = clock.now()
    job.seconds, job.slices, job.done = job.seconds + seconds, job.slices + 1, job.done + done
    job.longest = max(job.longest, seconds)
    noted = NightJob.objects.filter(pk=job.pk, worker=job.worker).update(
        cursor=progress.cursor,
        memory=progress.memory,
        done=job.done,
        slices=job.slices,
        seconds=job.seconds,
        longest=job.longest,
        finished_at=now if progress.finished else None,
        failures=0,
        error_code="",
        claimed_until=None,
    )
    if noted and seconds > LONG_SLICE_SECONDS:
        log.warning("One slice of nightly work %s took %.0f s.", job.name, seconds)
    if noted and progress.finished:
        level = logging.WARNING if job.seconds > LONG_SECONDS else logging.INFO
        log.log(
            level,
            "Nightly work %s: %d done in %.1f s, %d slices, the longest %.1f s.",
            job.name, job.done, job.seconds, job.slices, job.longest,
        )  # fmt: skip


def _note_failure(job: NightJob, error: Exception) -> None:
    """Wait 1, 2, 4 … minutes, at most an hour; other work continues meanwhile."""
    failures = job.failures + 1
    code = getattr(error, "code", "") or type(error).__name__
    NightJob.objects.filter(pk=job.pk, worker=job.worker).update(
        failures=failures,
        error_code=str(code)[:60],
        claimed_until=None,
        not_before=clock.now() + timedelta(minutes=min(60, 2 ** min(failures - 1, 6))),
    )


def _once(work: Callable[[], int]) -> NightWork:
    """Short work: one slice does all of it."""

    def slice_of(progress: Progress, until: float) -> int:
        progress.finished = True
        return work()

    return slice_of
