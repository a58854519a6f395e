"""Redis is stopped, loses all its data, and is started again after some seconds (--seconds, 6)."""

from __future__ import annotations

from drills.course import endure
from drills.redis_server import installed
from drills.report import Report
from drills.stage import Options, running_site


def run(options: Options) -> Report:
    """Earlier tasks are lost; what is due is in our own rows."""
    seconds = options.seconds or 6.0
    report = Report(f"Redis away for {seconds:.0f} s, and empty afterwards (REDIS_URL)")
    if not installed():
        report.notes.append("nothing was done: this machine has no redis-server")
        return report
    with running_site(options, redis=True) as stage:
        redis, host = stage.redis, stage.hosts[0]
        assert redis is not None
        queue = host.pid("queue")
        endure(stage, report, lambda: redis.away_for(seconds))
        report.must(host.pid("queue") == queue, "`manage.py queue` ended, and had to be restarted")
    return report
