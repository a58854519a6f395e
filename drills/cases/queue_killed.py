"""`manage.py queue` and everything below it is killed (kill -9) in the middle of syncs."""

from __future__ import annotations

import signal
import time

import psutil

from drills import truth
from drills.report import Report
from drills.stage import Host, Options, standing


def run(options: Options) -> Report:
    """Kill the whole tree; whoever supervises the host's processes starts the queue again."""
    with standing(options) as stage:
        host, visitor = stage.hosts[0], stage.visitor()
        with visitor.asking(), truth.life(stage):
            time.sleep(5)
            report = Report("the queue and all its workers were killed; started again after 1 s")
            began = time.monotonic()
            kill_all(host)
            took = truth.next_sync(began)
            report.must(took is not None, "no sync was finished any more")
            report.took["next sync finished"] = took or 0.0
            time.sleep(5)
        truth.settle(stage, report, time.monotonic(), "all lists equal after the last change")
        report.members = visitor.lines(began)
        return report


def kill_all(host: Host) -> None:
    """SIGKILL to the queue and to everything below it, at once."""
    victims = [psutil.Process(host.pid("queue")), *host.processes("queue")]
    for victim in victims:
        victim.send_signal(signal.SIGKILL)
