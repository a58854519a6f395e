"""Instagram does not answer for some seconds (--seconds, 30), in the middle of syncs."""

from __future__ import annotations

import time

from drills.course import endure
from drills.report import Report
from drills.stage import Options, running_site


def run(options: Options) -> Report:
    """The site stays up, nobody is reported lost, and syncs continue by themselves."""
    away = options.seconds or 30.0
    report = Report(f"Instagram away for {away:.0f} s")
    with running_site(options) as stage:

        def stop() -> None:
            stage.stop_instagram()
            time.sleep(away)
            stage.start_instagram()
            stage.wait_for(f"{stage.sandbox.base_url}/_sandbox/accounts/")

        endure(stage, report, stop)
        report.must_all_be_served()
    return report
