"""`manage.py queue` and all its children are killed (kill -9) in the middle of syncs."""

from __future__ import annotations

from drills.course import endure
from drills.report import Report
from drills.stage import Options, running_site


def run(options: Options) -> Report:
    """Kill the whole tree; the host's supervisor starts the queue again."""
    report = Report("queue and workers killed (started again after 1 s)")
    with running_site(options) as stage:
        endure(stage, report, lambda: stage.hosts[0].kill("queue"))
    return report
