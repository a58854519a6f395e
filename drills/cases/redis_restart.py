"""Redis is stopped, loses all it held, and is started again after some seconds (--seconds, 6)."""

from __future__ import annotations

import time

from drills import truth
from drills.redis_server import installed
from drills.report import Report
from drills.stage import Options, standing


def run(options: Options) -> Report:
    """The tasks of before are gone; what is due stands in our own rows."""
    if not installed():
        report = Report("nothing: this machine has no redis-server")
        report.notes.append("install it (Debian: redis-server) and try again")
        return report
    with standing(options, redis=True) as stage:
        assert stage.redis is not None
        host, visitor = stage.hosts[0], stage.visitor()
        with visitor.asking(), truth.life(stage):
            time.sleep(5)
            queue, began = host.pid("queue"), time.monotonic()
            stage.redis.away_for(options.seconds or 6.0)
            back = time.monotonic()
            report = Report(f"Redis was away for {back - began:.1f} s and came back empty")
            took = truth.next_sync(back)
            report.took["next sync finished, after Redis was back"] = took or 0.0
            report.must(took is not None, "no sync was finished any more")
            time.sleep(5)
        report.must(host.pid("queue") == queue, "`manage.py queue` ended, and had to be restarted")
        truth.settle(stage, report, time.monotonic(), "all lists equal after the last change")
        report.members = visitor.lines(began)
        return report
