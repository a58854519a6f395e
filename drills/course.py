"""The course of most drills: members are at work, something breaks, and all must be well again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from drills import truth

if TYPE_CHECKING:
    from drills.member import Visitor
    from drills.report import Report
    from drills.stage import Stage

#: Until syncs are under way everywhere, and how long members stay when all is well.
WORK_SECONDS = 5.0
#: In which the site must be at work again by itself, on a machine that others use as well.
BACK_SECONDS = 45.0


def endure(
    stage: Stage,
    report: Report,
    fault: Callable[[], object],
    *,
    visitor: Visitor | None = None,
    silence: bool = False,
) -> Visitor:
    """Break it by `fault`, which returns when the fault has ended; note what came of it.

    `silence`: members may have no answer at all, since what answers them is ended.
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
