"""PostgreSQL is stopped, and started again after some seconds (--seconds, 6)."""

from __future__ import annotations

import time

from drills.course import endure
from drills.report import Report
from drills.stage import Options, Stage, running_site


def run(options: Options) -> Report:
    """The queue's process must survive and continue by itself."""
    return away(options, options.seconds or 6.0)


def away(options: Options, seconds: float) -> Report:
    """Run the drill for so many seconds."""
    report = Report(f"PostgreSQL away for {seconds:.0f} s")
    with running_site(options) as stage:
        host, gone, back = stage.hosts[0], 0.0, 0.0

        def fault() -> None:
            nonlocal gone, back
            gone = _stop(stage)
            time.sleep(seconds)
            stage.database.start()
            back = time.monotonic()

        queue = host.pid("queue")
        visitor = endure(stage, report, fault)
        ready = visitor.first_ok("readyz", back)
        report.must(ready is not None, "/readyz never said ok again")
        report.must(
            not visitor.had("readyz", 200, since=gone, until=back - 1.0),
            "/readyz said ok while PostgreSQL was away",
        )
        report.must(host.pid("queue") == queue, "`manage.py queue` ended, and had to be restarted")
    return report


def _stop(stage: Stage) -> float:
    stage.database.stop()
    return time.monotonic()
