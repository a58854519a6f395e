"""Nothing is broken: what the figures of the other drills are to be compared with."""

from __future__ import annotations

from drills.course import endure
from drills.report import Report
from drills.stage import Options, standing


def run(options: Options) -> Report:
    """The same members, the same work, no fault."""
    report = Report("nothing, for comparison")
    with standing(options) as stage:
        endure(stage, report, lambda: None)
    return report
