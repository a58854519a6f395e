"""What is done again and again goes on when it is due, whatever the clock of a host says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler

from accounts import registry, tasks
from accounts.models import ScheduledJob
from accounts.receivers import ensure_wake
from accounts.services import periodic_jobs
from tests.support.clock import Clock

pytestmark = pytest.mark.django_db

TICK = "followersync.tasks.tick"


@pytest.fixture
def look(django_capture_on_commit_callbacks: Callable) -> Callable[[], list[str]]:
    """What one host's look enqueues."""

    def looking() -> list[str]:
        with django_capture_on_commit_callbacks(execute=True):
            periodic_jobs.enqueue_due()
        found = [row.task["func"] for row in OrmQ.objects.order_by("pk")]
        OrmQ.objects.all().delete()
        return found

    return looking


@contextmanager
def a_host_ahead(hours: float) -> Iterator[None]:
    """The clock that django-q2 reads on this host."""
    true = timezone.now
    timezone.now = lambda: true() + timedelta(hours=hours)  # type: ignore[assignment]
    try:
        yield
    finally:
        timezone.now = true


def test_each_job_is_enqueued_once_when_it_is_due(look, clock: Clock) -> None:
    assert set(look()) == set(registry.jobs())
    assert look() == []

    clock.advance(seconds=59)
    assert look() == []
    clock.advance(seconds=1)
    assert set(look()) == {TICK, "accounts.tasks.privacy_tick"}


@pytest.mark.django_db(transaction=True)
def test_a_host_whose_clock_is_an_hour_ahead_stops_nothing(look, clock: Clock) -> None:
    """Its looks moved every schedule on by an hour, and when it went, nothing was done for long."""
    ensure_wake()
    look()
    with a_host_ahead(hours=1):
        scheduler()
        tasks.wake()
    OrmQ.objects.all().delete()

    clock.advance(minutes=1)

    assert TICK in look()


@pytest.mark.django_db(transaction=True)
def test_such_a_host_puts_off_no_wake_either(clock: Clock) -> None:
    ensure_wake()
    with a_host_ahead(hours=1):
        scheduler()
    assert Schedule.objects.get().next_run > datetime.now(UTC) + timedelta(minutes=50)

    periodic_jobs.enqueue_due()

    assert Schedule.objects.get().next_run <= datetime.now(UTC) + timedelta(minutes=1)


def test_what_was_missed_is_done_once_and_stays_in_step(look, clock: Clock) -> None:
    look()
    before = ScheduledJob.objects.get(pk=TICK).due_at

    clock.advance(minutes=7, seconds=20)

    assert look().count(TICK) == 1
    assert ScheduledJob.objects.get(pk=TICK).due_at == before + timedelta(minutes=7)


def test_a_time_that_a_wrong_clock_has_left_is_not_waited_for(look, clock: Clock) -> None:
    look()
    ScheduledJob.objects.filter(pk=TICK).update(due_at=clock() + timedelta(days=300))

    assert TICK in look()
    assert ScheduledJob.objects.get(pk=TICK).due_at == clock() + timedelta(minutes=1)


def test_django_q_has_one_schedule_which_only_wakes() -> None:
    Schedule.objects.create(name="followersync.tick", func=TICK)

    ensure_wake()
    ensure_wake()

    assert [row.func for row in Schedule.objects.all()] == ["accounts.tasks.wake"]
