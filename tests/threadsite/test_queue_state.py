"""`/readyz` says within half a minute that the queue is dead, and does not cry while it works."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import SiteProcess
from accounts.services import processes
from tests.support.clock import Clock

pytestmark = pytest.mark.django_db


def queue(client: Client) -> tuple[int, str]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["queue"]


@pytest.fixture
def running(clock: Clock) -> Clock:
    processes.report("0badf00d", SiteProcess.Kind.QUEUE)
    processes.worked("0badf00d")
    return clock


def test_a_queue_that_never_ran_is_told(client: Client) -> None:
    assert queue(client) == (503, "not running")


def test_a_queue_that_works_is_ok(client: Client, running: Clock) -> None:
    assert queue(client) == (200, "ok")


def test_a_queue_that_was_killed_is_told_within_half_a_minute(
    client: Client, running: Clock
) -> None:
    running.advance(seconds=31)

    assert queue(client) == (503, "not running")


def test_a_queue_that_is_being_restarted_takes_no_host_out_of_service(
    client: Client, running: Clock
) -> None:
    """Whoever balances load by /readyz would send members away with each release."""
    processes.leave("0badf00d")
    running.advance(seconds=20)

    assert queue(client) == (200, "ok")
    running.advance(seconds=11)
    assert queue(client) == (503, "not running")


def test_workers_that_are_busy_for_two_minutes_are_no_outage(
    client: Client, running: Clock
) -> None:
    running.advance(seconds=120)
    processes.report("0badf00d", SiteProcess.Kind.QUEUE)

    assert queue(client) == (200, "ok")


def test_a_queue_whose_workers_finish_nothing_is_told(client: Client, running: Clock) -> None:
    running.advance(seconds=151)
    processes.report("0badf00d", SiteProcess.Kind.QUEUE)

    assert queue(client) == (503, "no worker finishes a task")


def test_a_web_process_is_no_queue(client: Client, clock: Clock) -> None:
    processes.report("0badf00d", SiteProcess.Kind.WEB)

    assert queue(client) == (503, "not running")
