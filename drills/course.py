"""The course of most drills: members at work, a fault, then recovery within a time limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from drills import truth

if TYPE_CHECKING:
    from drills.member import Visitor
    from drills.report import Report
    from drills.stage import Stage

#: Seconds until syncs run everywhere, and for which members stay after recovery.
WORK_SECONDS = 5.0
#: Seconds in which the site must work again by itself, on a machine in other use too.
BACK_SECONDS = 45.0


def endure(
    stage: Stage,
    report: Report,
    fault: Callable[[], object],
    *,
    visitor: Visitor | None = None,
    silence: bool = False,
) -> Visitor:
    """Run `fault`, which returns when the fault has ended, and record the outcome.

    `silence`: members may get no answer at all, since the fault stops what answers them.
    """
    visitor = visitor or stage.visitor()
    with visitor.asking(), truth.life(stage):
        time.sleep(WORK_SECONDS)
        report.notes.append(f"runs that were open when it broke: {len(truth.open_runs())}")
        began = time.monotonic()
        fault()
        _at_work_again(stage, report, time.monotonic(), visitor)
        time.sleep(WORK_SECONDS)
    truth.settle(stage, report)
    report.saw(visitor, began, silence=silence)
    return visitor


def _at_work_again(stage: Stage, report: Report, ended: float, visitor: Visitor) -> None:
    first, every = truth.next_syncs(stage, ended)
    page = visitor.first_ok("page", ended)
    took = {
        "page": page and page - ended,
        "next sync": first,
        f"all {len(stage.accounts)} synced": every,
    }
    for what, seconds in took.items():
        late = seconds is None or seconds > BACK_SECONDS
        report.must(not late, f"{what}: not again within {BACK_SECONDS:.0f} s")
        report.took[what] = truth.WELL_SECONDS if seconds is None else seconds
