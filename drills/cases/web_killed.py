"""The web process and all its children are killed (kill -9)."""

from __future__ import annotations

from drills.course import endure
from drills.report import Report
from drills.stage import Options, running_site


def run(options: Options) -> Report:
    """Nobody answers here until it is started again; a second host would."""
    report = Report("web process killed (started again after 1 s)")
    with running_site(options) as stage:
        endure(stage, report, lambda: stage.hosts[0].kill("web"), silence=True)
    return report
