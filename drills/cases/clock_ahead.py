"""A second host, whose clock is an hour ahead, runs the queue for two minutes and is taken away."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path

import drills
from drills import truth
from drills.member import until
from drills.report import Report
from drills.stage import Options, Stage, standing

TICK = "followersync.tasks.tick"
AHEAD_SECONDS = 3600
#: Jobs of each minute may be late by a heartbeat or two.
LATEST = timedelta(seconds=90)


def run(options: Options) -> Report:
    """What is done each minute must be done each minute, with that host and after it."""
    with standing(options) as stage:
        visitor = stage.visitor()
        wrong = stage.prepare_host("ahead", DRILL_AHEAD_SECONDS=str(AHEAD_SECONDS))
        wrong.manage = [sys.executable, str(Path(drills.__file__).with_name("ahead.py"))]
        report = Report("a host whose clock is an hour ahead")
        with visitor.asking(), truth.life(stage):
            began = time.monotonic()
            wrong.start("queue")
            time.sleep(options.seconds or 120.0)
            with_it = _ticks(stage, options.seconds or 120.0)
            wrong.stop("queue")
            stage.hosts.remove(wrong)
            gone = time.monotonic()
            before = _count()
            late = until(lambda: _count() > before, LATEST.total_seconds(), pause=1.0)
            report.took["the next job of each minute, without it"] = time.monotonic() - gone
            report.must(late is not None, f"nothing scheduled is done any more ({_schedules()})")
        report.notes.append(f"jobs of each minute while it ran: {with_it}")
        report.must(with_it >= 1, "nothing scheduled was done while it ran")
        truth.settle(stage, report, time.monotonic(), "all lists equal after the last change")
        report.members = visitor.lines(began)
        return report


def _count() -> int:
    from django_q.models import Success

    return int(Success.objects.filter(func=TICK).count())


def _ticks(stage: Stage, seconds: float) -> int:
    """How many were begun within the last `seconds`, by the clock of the database's host."""
    from django_q.models import Success

    from accounts import clock

    since = clock.now() - timedelta(seconds=seconds)
    # The host ahead writes down times of its own, an hour later.
    return int(Success.objects.filter(func=TICK, started__gt=since).count())


def _schedules() -> str:
    from django_q.models import Schedule

    from accounts import clock

    now = clock.now()
    return ", ".join(
        f"{each.name} in {(each.next_run - now).total_seconds() / 60:.0f} min"
        for each in Schedule.objects.all()
    )
