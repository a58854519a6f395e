"""Queue workers are killed (kill -9): one in the middle of a batch, then all that wait."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

import psutil

from drills import truth
from drills.member import until
from drills.report import Report
from drills.stage import Host, Options, Stage, standing

WAITING_SECONDS = 200.0
ACCOUNTS = 32


def run(options: Options) -> Report:
    """What the dead had in hand is to go on within seconds; the queue must not hang."""
    with standing(options, accounts=ACCOUNTS, followers=300) as stage:
        host, visitor = stage.hosts[0], stage.visitor()
        report = Report(
            f"a worker in the middle of a batch of {ACCOUNTS // 2} syncs; all that wait"
        )
        with visitor.asking():
            began = time.monotonic()
            _kill_one_at_work(stage, host, report)
            _kill_all_that_wait(stage, host, report)
        truth.settle(stage, report, time.monotonic(), "all lists equal after the last change")
        report.members = visitor.lines(began)
        return report


def _kill_one_at_work(stage: Stage, host: Host, report: Report) -> None:
    # An Instagram that takes a second for each answer: the batch lasts for a while.
    stage.sandbox.faults(slow=1.0)
    _change(stage, 3)
    killed = until(lambda: _kill_at_work(host), WAITING_SECONDS, pause=0.05)
    report.must(killed is not None, "no worker was at a batch")
    died = time.monotonic()
    stage.sandbox.faults()
    report.notes.append(f"runs that had not ended when it died: {len(truth.open_runs())}")
    equal = until(lambda: not truth.differing(stage), WAITING_SECONDS, pause=0.1)
    report.took["its whole batch was synced by others"] = time.monotonic() - died
    report.must(equal is not None, f"lists differ after {WAITING_SECONDS:.0f} s")


def _kill_all_that_wait(stage: Stage, host: Host, report: Report) -> None:
    """One of them holds the lock that the others wait for: the whole cluster is started anew."""
    time.sleep(3)
    for victim in workers(host):
        victim.send_signal(signal.SIGKILL)
    died = time.monotonic()
    _change(stage, 1)
    until(lambda: not truth.differing(stage), WAITING_SECONDS)
    report.took["all is synced after the death of those that waited"] = time.monotonic() - died


def _change(stage: Stage, follow: int) -> None:
    for account in stage.accounts:
        stage.sandbox.change(account.instagram_id, follow=follow)
    truth.fall_due(*(account.pk for account in stage.accounts))


def _kill_at_work(host: Host) -> bool:
    """SIGKILL to a worker that has several runs in hand; False: there is none."""
    from followersync.models import SyncRun

    running = SyncRun.objects.filter(state="running").exclude(worker=None)
    held = [run.worker.hex for run in running if run.worker]
    for worker in workers(host):
        if sum(lease[8:16] == f"{worker.pid:08x}" for lease in held) > 3:
            worker.send_signal(signal.SIGKILL)
            return True
    return False


def workers(host: Host) -> list[psutil.Process]:
    """The children of the cluster's sentinel: its workers, and the two that feed and empty them."""
    found: list[psutil.Process] = []
    with suppress(psutil.Error):
        for cluster in psutil.Process(host.pid("queue")).children():
            for sentinel in cluster.children():
                found += sentinel.children()
    return found
