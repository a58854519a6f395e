"""Instagram answers nobody for some seconds (--seconds, 30), in the middle of syncs."""

from __future__ import annotations

import time

from drills import truth
from drills.report import Report
from drills.stage import Options, standing


def run(options: Options) -> Report:
    """The site stays up, nobody is called lost, and syncs go on by themselves."""
    away = options.seconds or 30.0
    with standing(options) as stage:
        visitor = stage.visitor()
        report = Report(f"Instagram was away for {away:.0f} s")
        with visitor.asking(), truth.life(stage):
            time.sleep(5)
            began = time.monotonic()
            stage.stop_instagram()
            time.sleep(away)
            stage.start_instagram()
            stage.wait_for(f"{stage.sandbox.base_url}/_sandbox/accounts/")
            back = time.monotonic()
            took = truth.next_sync(back)
            report.took["next sync finished, after Instagram was back"] = took or 0.0
            report.must(took is not None, "no sync was finished any more")
            time.sleep(5)
        failed = [seen for seen in visitor.answers if seen.began > began and seen.status != 200]
        report.must(not failed, f"{len(failed)} requests of members were not answered with 200")
        truth.settle(stage, report, time.monotonic(), "all lists equal after the last change")
        report.members = visitor.lines(began)
        return report
