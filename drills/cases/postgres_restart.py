"""PostgreSQL is stopped, and started again after some seconds (--seconds, 6)."""

from __future__ import annotations

import time

from drills import truth
from drills.report import Report
from drills.stage import Options, standing


def run(options: Options) -> Report:
    """The queue must be the very process of before, and go on by itself."""
    away = options.seconds or 6.0
    with standing(options) as stage:
        host, visitor = stage.hosts[0], stage.visitor()
        with visitor.asking(), truth.life(stage):
            time.sleep(5)
            queue, began = host.pid("queue"), time.monotonic()
            stage.database.stop()
            stopped = time.monotonic()
            time.sleep(max(0.0, away - (stopped - began)))
            stage.database.start()
            back = time.monotonic()
            report = Report(f"PostgreSQL was away for {back - began:.1f} s")
            took = truth.next_sync(back)
            report.took["next sync finished, after PostgreSQL was back"] = took or 0.0
            report.must(took is not None, "no sync was finished any more")
            time.sleep(5)
        ready = visitor.first_ok("readyz", back)
        if ready is not None:
            report.took["/readyz says ok, after PostgreSQL was back"] = ready - back
        report.must(ready is not None, "/readyz never said ok again")
        report.must(
            not visitor.had("readyz", 200, since=stopped, until=back - 1.0),
            "/readyz said ok while PostgreSQL was away",
        )
        report.must(host.pid("queue") == queue, "`manage.py queue` ended, and had to be restarted")
        truth.settle(stage, report, time.monotonic(), "all lists equal after the last change")
        report.members = visitor.lines(began)
        return report
