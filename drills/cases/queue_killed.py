"""`manage.py queue` and all its children are killed (kill -9) in the middle of syncs."""

from __future__ import annotations

from drills.course import endure
from drills.report import Report
from drills.stage import Options, standing


def run(options: Options) -> Report:
    """Kill the whole tree; whoever supervises the host's processes starts the queue again."""
    report = Report("queue and workers killed (started again after 1 s)")
    with standing(options) as stage:
        endure(stage, report, lambda: stage.hosts[0].kill("queue"))
    return report
