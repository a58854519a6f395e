"""`manage.py queue`: run the queue under a watchdog (`threadsite.watchdog`)."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from accounts.services import hosts
from threadsite import environment, serving, systemd
from threadsite.supervisor import Child, Supervisor
from threadsite.watchdog import Watchdog


class Command(BaseCommand):
    """Runs one cluster, restarted when it dies or hangs."""

    help = "Runs the queue's workers and restarts them when they die or hang."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        try:
            serving.check_start()
        except ImproperlyConfigured as error:
            raise CommandError(f"The queue does not start. {error}") from None
        hosts.start_reading_marks()
        folder = environment.home() / "queue"
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        supervisor = Supervisor(
            folder=folder,
            environment=os.environ,
            keep_pids=False,
            stop_seconds=6,
            # Never gives up: what it needs may be away for long.
            gives_up=False,
        )
        supervisor.listen()
        me = ["-m", "threadsite"] if sys.argv[0].endswith("__main__.py") else [sys.argv[0]]
        child = Child("cluster", [sys.executable, *me, "qcluster"], inherit_output=True)
        watchdog = Watchdog(child, supervisor.environment)
        watchdog.find_orphans()

        def report(child: Child) -> None:
            self.stderr.write("the queue's cluster ended and is started again")
            watchdog.cluster_ended()

        def look() -> None:
            watchdog.look()
            if watchdog.refused:
                supervisor.stopping.set()

        supervisor.start(child)
        try:
            supervisor.run(on_death=report, on_beat=systemd.with_watchdog(look))
        finally:
            supervisor.stop()
            watchdog.leave()
        if watchdog.refused:
            raise CommandError(f"The queue ends. {watchdog.refused}")
