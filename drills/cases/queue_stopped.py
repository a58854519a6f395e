"""The queue's processes are halted for some seconds (--seconds, 45), as a paused machine's are."""

from __future__ import annotations

import signal
import time

from drills.course import endure
from drills.report import Report
from drills.stage import Options, standing


def run(options: Options) -> Report:
    """They wake with leases that have ended meanwhile, and must not write by them."""
    seconds = options.seconds or 45.0
    report = Report(f"queue and workers halted (kill -STOP) for {seconds:.0f} s")
    with standing(options) as stage:
        host = stage.hosts[0]

        def halt() -> None:
            halted = host.signal_all("queue", signal.SIGSTOP)
            time.sleep(seconds)
            for process in halted:
                process.send_signal(signal.SIGCONT)

        endure(stage, report, halt)
    return report
