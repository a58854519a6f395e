"""The web process and everything below it is killed (kill -9)."""

from __future__ import annotations

from drills.course import endure
from drills.report import Report
from drills.stage import Options, standing


def run(options: Options) -> Report:
    """Until it is started again nobody answers here; a second host would."""
    report = Report("web process killed (started again after 1 s)")
    with standing(options) as stage:
        endure(stage, report, lambda: stage.hosts[0].kill("web"), silence=True)
    return report
