"""A second host with a clock an hour ahead runs the queue for two minutes and is removed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import drills
from drills.course import endure
from drills.member import until
from drills.report import Report
from drills.stage import Options, Stage, running_site

AHEAD_SECONDS = 3600
#: Jobs of each minute may be late by one or two heartbeats.
LATEST = 90.0


def run(options: Options) -> Report:
    """Jobs of each minute must be done each minute, with that host and after it."""
    seconds = options.seconds or 120.0
    report = Report(f"a second host, its clock an hour ahead, for {seconds:.0f} s")
    with running_site(options) as stage:
        before, ticks = 0, 0

        def fault() -> None:
            nonlocal before, ticks
            before = _count()
            _run_ahead(stage, seconds)
            ticks = _count()

        endure(stage, report, fault)
        late = until(lambda: _count() > ticks, LATEST, pause=1.0)
        report.must(late is not None, f"nothing scheduled is done any more ({_schedules()})")
        report.notes.append(f"jobs of each minute while it ran: {ticks - before}")
        report.must(ticks > before, "nothing scheduled was done while it ran")
    return report


def _run_ahead(stage: Stage, seconds: float) -> None:
    wrong = stage.prepare_host("ahead", DRILL_AHEAD_SECONDS=str(AHEAD_SECONDS))
    wrong.manage = [sys.executable, str(Path(drills.__file__).with_name("ahead.py"))]
    wrong.start("queue")
    time.sleep(seconds)
    wrong.stop("queue")
    stage.hosts.remove(wrong)


def _count() -> int:
    from django_q.models import Success

    from followersync.services.sync.dispatcher import TICK

    return int(Success.objects.filter(func=TICK).count())


def _schedules() -> str:
    from django_q.models import Schedule

    from accounts import clock

    now = clock.now()
    return ", ".join(
        f"{each.name} in {(each.next_run - now).total_seconds() / 60:.0f} min"
        for each in Schedule.objects.all()
    )
