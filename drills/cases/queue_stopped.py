"""The queue's processes are halted for some seconds (--seconds, 45), as on a paused machine."""

from __future__ import annotations

import signal
import time

from drills.course import endure
from drills.report import Report
from drills.stage import Options, running_site


def run(options: Options) -> Report:
    """They continue with expired leases, and must not write by them."""
    seconds = options.seconds or 45.0
    report = Report(f"queue and workers halted (kill -STOP) for {seconds:.0f} s")
    with running_site(options) as stage:
        host = stage.hosts[0]

        def halt() -> None:
            halted = host.signal_all("queue", signal.SIGSTOP)
            time.sleep(seconds)
            for process in halted:
                process.send_signal(signal.SIGCONT)

        endure(stage, report, halt)
    return report
