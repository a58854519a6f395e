"""Jobs that are done again and again, due by the database's clock.

django-q2's own schedules are moved on by the clock of whichever host looks at them: one host an
hour ahead stops them for everybody. So only one schedule of its stands, which wakes us each
minute; the queue's heartbeat does so every five seconds. When a job is due stands in our rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django_q.models import Schedule

from accounts import clock, registry
from accounts.models import ScheduledJob
from accounts.queue import enqueue

#: The one schedule of django-q2's.
WAKE: Final = "threadsite.wake"
WAKE_TASK: Final = "accounts.tasks.wake"


def enqueue_due() -> list[str]:
    """Enqueue each job whose time has come, and say when it is due next; returns which."""
    now, jobs = clock.now(), registry.jobs()
    due = dict(ScheduledJob.objects.values_list("task", "due_at"))
    missing = jobs.keys() - due.keys()
    if missing:
        ScheduledJob.objects.bulk_create(
            [ScheduledJob(task=task, due_at=now) for task in missing], ignore_conflicts=True
        )
    _mend_wake()
    candidates = [task for task, every in jobs.items() if _is_due(due.get(task, now), every, now)]
    return [task for task in candidates if _enqueue(task, jobs[task])]


@transaction.atomic
def _enqueue(task: str, every: timedelta) -> bool:
    """Once for each time, however many hosts look; those who come too late leave it alone."""
    job = ScheduledJob.objects.select_for_update(skip_locked=True).filter(pk=task).first()
    now = clock.now()
    if job is None or not _is_due(job.due_at, every, now):
        return False
    job.due_at, job.enqueued_at = _next(job.due_at, every, now), now
    job.save()
    enqueue(task)
    return True


def _is_due(due_at: datetime, every: timedelta, now: datetime) -> bool:
    """Also where the time lies further ahead than one interval: it came of a wrong clock."""
    return due_at <= now or due_at > now + clock.for_real(every)


def _next(due_at: datetime, every: timedelta, now: datetime) -> datetime:
    """The next moment in step with the last; what was missed is not made up for."""
    step = clock.for_real(every)
    if due_at > now:
        return now + step
    return due_at + step * ((now - due_at) // step + 1)


def _mend_wake() -> None:
    """A host whose clock is ahead has put the next wake off for as long."""
    now = clock.wall()
    late = now + timedelta(minutes=2)
    Schedule.objects.filter(name=WAKE, next_run__gt=late).update(next_run=now)
