"""Run the queue under a watchdog.

django-q2's cluster hangs for good when a worker is killed while it holds the queue's lock
(django-q2 issue 23). The watchdog rings a task that only writes down that it ran; when that stays
away for longer than any task may take, the cluster is ended and started anew.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import psutil
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django_q.tasks import async_task

from accounts.services import hosts
from threadsite import environment, heartbeat, serving
from threadsite.supervisor import Child, Supervisor, end_group

RING_SECONDS = 5.0
COUNT_SECONDS = 2.0
#: Longer than the longest usual task: slices of 20 s, two after another.
PATIENCE_AFTER_DEATH = 45.0


class Command(BaseCommand):
    """`manage.py queue`: one cluster, restarted when it dies or hangs."""

    help = "Runs the queue's workers and restarts them when they die or hang."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        try:
            serving.check_start()
        except ImproperlyConfigured as error:
            raise CommandError(f"The queue does not start. {error}") from None
        hosts.keep_beating()
        folder = environment.home() / "queue"
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        supervisor = Supervisor(
            folder=folder, environment=os.environ, keep_pids=False, stop_seconds=6
        )
        supervisor.listen()
        child = Child("cluster", [sys.executable, sys.argv[0], "qcluster"], inherit_output=True)
        supervisor.start(child)
        watchdog = Watchdog(child)
        try:
            supervisor.run(on_death=self._report, on_beat=watchdog.look)
        finally:
            supervisor.stop()

    def _report(self, child: Child) -> None:
        self.stderr.write("the queue's cluster ended and is started again")


class Watchdog:
    """Rings a heartbeat and ends the cluster when none comes back."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.rung_at = 0.0
        self.answered_at = time.monotonic()
        #: Every worker may be busy for a whole task's time before it takes the heartbeat.
        self.patience = 1.5 * float(settings.Q_CLUSTER["timeout"])
        self.workers: set[int] = set()
        self.counted_at = self.died_at = 0.0

    def look(self) -> None:
        """Called twice a second by the supervisor."""
        now = time.monotonic()
        if now - self.counted_at >= COUNT_SECONDS:
            self.count_workers(now)
        if now - self.rung_at < RING_SECONDS:
            return
        close_old_connections()
        age = heartbeat.age()
        if age is not None and age < now - self.rung_at:
            self.answered_at = now - age
        if self.rung_at == 0.0 or self.answered_at >= self.rung_at:
            async_task("threadsite.heartbeat.beat", group="heartbeat")
            self.rung_at = now
        elif now - self.rung_at > self.patience_now():
            end_group(self.child)
            self.answered_at = self.rung_at = now
            self.workers = set()

    def count_workers(self, now: float) -> None:
        """Notice a death; those started in the place of the dead count from now on."""
        before, self.workers, self.counted_at = self.workers, self._processes(), now
        if before - self.workers:
            self.died_at = now

    def patience_now(self) -> float:
        """Less after a death: the dead may hold the lock that all others wait for."""
        if self.died_at > self.answered_at:
            return min(self.patience, PATIENCE_AFTER_DEATH)
        return self.patience

    def _processes(self) -> set[int]:
        """The process ids of the cluster's workers and helpers."""
        if self.child.process is None:
            return set()
        try:
            below = psutil.Process(self.child.process.pid).children(recursive=True)
        except psutil.Error:
            return set()
        return {process.pid for process in below}
