"""`manage.py queue` gets SIGTERM several times within a millisecond, as from systemd."""

from __future__ import annotations

import os
import signal
import time

from drills import truth
from drills.course import endure
from drills.member import until
from drills.report import Report
from drills.stage import Options, Stage, running_site

ROUNDS = 6
SIGNALS = 20
END_SECONDS = 20.0


def run(options: Options) -> Report:
    """Each time it must end by itself; then it is started again, and works."""
    report = Report(f"{SIGNALS} SIGTERMs to the queue within a millisecond, {ROUNDS} times")
    with running_site(options) as stage:
        endure(stage, report, lambda: _rounds(stage, report))
    return report


def _rounds(stage: Stage, report: Report) -> None:
    host, slowest = stage.hosts[0], 0.0
    for number in range(ROUNDS):
        if number:
            next(truth.next_syncs(stage, time.monotonic()))
        pid = host.pid("queue")
        for _ in range(SIGNALS):
            os.kill(pid, signal.SIGTERM)
        ended = until(lambda pid=pid: host.pid("queue") != pid, END_SECONDS)  # type: ignore[misc]
        report.must(ended is not None, f"round {number + 1}: it hung")
        if ended is None:
            os.kill(pid, signal.SIGKILL)
        slowest = max(slowest, ended or END_SECONDS)
    report.took["ended and started again, at the slowest"] = slowest
