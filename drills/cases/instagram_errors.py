"""Instagram answers most requests late or with errors for some seconds (--seconds, 30)."""

from __future__ import annotations

import time

from drills import truth
from drills.course import endure
from drills.report import Report
from drills.stage import Options, running_site

#: Shares of the answers: 500 with a page, codes 1 and 2, an ended connection, 0.5 to 3 s.
FAULTS = {"http_500": 0.3, "service_error": 0.3, "dropped": 0.1, "slow": 0.5}


def run(options: Options) -> Report:
    """Errors must not change who follows."""
    seconds = options.seconds or 30.0
    report = Report(f"Instagram answering by errors, or late, for {seconds:.0f} s")
    with running_site(options) as stage:

        def trouble() -> None:
            stage.sandbox.faults(**FAULTS)
            time.sleep(seconds)
            stage.sandbox.faults(slow=truth.SLOW)

        endure(stage, report, trouble)
        report.must_all_be_served()
    return report
