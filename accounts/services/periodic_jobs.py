"""Periodic jobs, due by the database's clock.

django-q2's own schedules advance by the clock of the host that runs them: one host an hour ahead
stops them for all. So django-q2 has only one schedule, which wakes us each minute; the queue's
heartbeat does so every five seconds. Our own rows say when a job is due.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django_q.models import Schedule

from accounts import clock, registry
from accounts.models import ScheduledJob
from accounts.queue import enqueue

#: Our only schedule in django-q2.
WAKE: Final = "threadsite.wake"
WAKE_TASK: Final = "accounts.tasks.wake"


def enqueue_due() -> list[str]:
    """Enqueue each due job, and set when it is due next; returns which."""
    now, jobs = clock.now(), registry.jobs()
    due = dict(ScheduledJob.objects.values_list("task", "due_at"))
    missing = jobs.keys() - due.keys()
    if missing:
        ScheduledJob.objects.bulk_create(
            [ScheduledJob(task=task, due_at=now) for task in missing], ignore_conflicts=True
        )
    _correct_wake()
    candidates = [task for task, every in jobs.items() if _is_due(due.get(task, now), every, now)]
    return [task for task in candidates if _enqueue(task, jobs[task])]


@transaction.atomic
def _enqueue(task: str, every: timedelta) -> bool:
    """Once for each time, however many hosts try it."""
    job = ScheduledJob.objects.select_for_update(skip_locked=True).filter(pk=task).first()
    now = clock.now()
    if job is None or not _is_due(job.due_at, every, now):
        return False
    job.due_at, job.enqueued_at = _next(job.due_at, every, now), now
    job.save()
    enqueue(task)
    return True


def _is_due(due_at: datetime, every: timedelta, now: datetime) -> bool:
    """Also if the time is further ahead than one interval: then a wrong clock set it."""
    return due_at <= now or due_at > now + clock.for_real(every)


def _next(due_at: datetime, every: timedelta, now: datetime) -> datetime:
    """The next moment in step with the last; missed ones are skipped."""
    step = clock.for_real(every)
    if due_at > now:
        return now + step
    return due_at + step * ((now - due_at) // step + 1)


def _correct_wake() -> None:
    """Correct a wake-up that a host with a clock ahead has postponed."""
    now = clock.wall()
    late = now + timedelta(minutes=2)
    Schedule.objects.filter(name=WAKE, next_run__gt=late).update(next_run=now)
