"""All connections to PostgreSQL are cut, once a second for some seconds (--seconds, 5)."""

from __future__ import annotations

import time

import psycopg

from drills.course import endure
from drills.report import Report
from drills.stage import Options, running_site

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
)


def run(options: Options) -> Report:
    """As a restarted connection proxy, or an administrator, does."""
    times = int(options.seconds or 5)
    report = Report(f"all connections to PostgreSQL cut, {times} times")
    with running_site(options) as stage:
        host = stage.hosts[0]

        def cut() -> None:
            with psycopg.connect(stage.variables["DATABASE_URL"], autocommit=True) as connection:
                for _ in range(times):
                    gone = len(connection.execute(CUT).fetchall())
                    report.notes.append(f"connections cut: {gone}")
                    time.sleep(1)

        queue = host.pid("queue")
        endure(stage, report, cut)
        report.must(host.pid("queue") == queue, "`manage.py queue` ended, and had to be restarted")
    return report
