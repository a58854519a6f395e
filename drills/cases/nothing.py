"""No fault: the baseline for the figures of the other drills."""

from __future__ import annotations

from drills.course import endure
from drills.report import Report
from drills.stage import Options, running_site


def run(options: Options) -> Report:
    """The same members and work, without a fault."""
    report = Report("nothing, for comparison")
    with running_site(options) as stage:
        endure(stage, report, lambda: None)
    return report
