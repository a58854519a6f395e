"""`manage.py queue` gets SIGTERM several times within a millisecond, as systemd may send it."""

from __future__ import annotations

import os
import signal
import time

from drills import truth
from drills.member import until
from drills.report import Report
from drills.stage import Options, standing

ROUNDS = 6
SIGNALS = 20
END_SECONDS = 20.0


def run(options: Options) -> Report:
    """Each time it must end by itself; it is started again, and works."""
    with standing(options) as stage:
        host, visitor = stage.hosts[0], stage.visitor()
        report = Report(f"{ROUNDS} times {SIGNALS} SIGTERMs to the queue, within a millisecond")
        slowest = 0.0
        with visitor.asking(), truth.life(stage):
            began = time.monotonic()
            for number in range(ROUNDS):
                pid = host.pid("queue")
                for _ in range(SIGNALS):
                    os.kill(pid, signal.SIGTERM)
                ended = until(lambda pid=pid: host.pid("queue") != pid, END_SECONDS)  # type: ignore[misc]
                report.must(ended is not None, f"round {number + 1}: it hung")
                if ended is None:
                    os.kill(pid, signal.SIGKILL)
                slowest = max(slowest, ended or END_SECONDS)
                took = truth.next_sync(time.monotonic())
                report.must(took is not None, "no sync was finished any more")
            report.took["ended and started again, at the slowest"] = slowest
        truth.settle(stage, report, time.monotonic(), "all lists equal after the last change")
        report.members = visitor.lines(began)
        return report
