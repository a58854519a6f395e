"""Queue workers are killed (kill -9): one in the middle of a batch, then all idle ones."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

import psutil

from drills import truth
from drills.course import endure
from drills.member import until
from drills.report import Report
from drills.stage import Host, Options, Stage, running_site

WAITING_SECONDS = 200.0
ACCOUNTS = 32


def run(options: Options) -> Report:
    """Others must take over the work within seconds; the queue must not hang."""
    report = Report("a worker killed in the middle of a batch; then all that wait")
    with running_site(options, accounts=ACCOUNTS, followers=300) as stage:
        endure(stage, report, lambda: _kill_one_at_work(stage, report))
        _kill_all_that_wait(stage, report)
    return report


def _kill_one_at_work(stage: Stage, report: Report) -> None:
    # Instagram answers slowly, so that the batch lasts for a while.
    stage.sandbox.faults(slow=1.0)
    truth.fall_due(*(account.pk for account in stage.accounts))
    held: list[int] = []

    def kill() -> bool:
        held.extend(_kill_at_work(stage.hosts[0]))
        return bool(held)

    killed = until(kill, WAITING_SECONDS, pause=0.05)
    died = time.monotonic()
    report.must(killed is not None, "no worker was at a batch")
    stage.sandbox.faults(slow=truth.SLOW)
    if until(lambda: not truth.open_runs(held), WAITING_SECONDS) is None:
        report.faults.append("what it had in hand was not finished")
    report.took[f"its batch of {len(held)} finished by others"] = time.monotonic() - died


def _kill_all_that_wait(stage: Stage, report: Report) -> None:
    """One of them has the lock that the others wait for: the whole cluster is restarted."""
    time.sleep(3)
    for victim in workers(stage.hosts[0]):
        victim.send_signal(signal.SIGKILL)
    died = time.monotonic()
    for account in stage.accounts:
        stage.sandbox.change(account.instagram_id, follow=1)
    truth.fall_due(*(account.pk for account in stage.accounts))
    if until(lambda: not truth.differing(stage), WAITING_SECONDS) is None:
        report.lost.append("after the death of those that waited, lists differ")
    report.took["all synced after the death of those that waited"] = time.monotonic() - died


def _kill_at_work(host: Host) -> list[int]:
    """SIGKILL to a worker that has several runs; returns these runs, [] if none has."""
    from followersync.models import SyncRun

    running = SyncRun.objects.filter(state="running").exclude(worker=None)
    held = [(run.pk, run.worker.hex) for run in running if run.worker]
    for worker in workers(host):
        its = [pk for pk, lease in held if lease[8:16] == f"{worker.pid:08x}"]
        if len(its) > 3:
            worker.send_signal(signal.SIGKILL)
            return its
    return []


def workers(host: Host) -> list[psutil.Process]:
    """The children of the cluster's sentinel: its workers, pusher and monitor."""
    found: list[psutil.Process] = []
    with suppress(psutil.Error):
        for cluster in psutil.Process(host.pid("queue")).children():
            for sentinel in cluster.children():
                found += sentinel.children()
    return found
