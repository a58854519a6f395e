"""Reports of a web process every 20 seconds: that it runs, its keys and its storages.

`manage.py rotate_keys` reads the keys, `accounts.services.hosts` the storages. The queue's watchdog
reports the queue.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, connection

from accounts.connectivity import GONE
from accounts.models import SiteProcess
from accounts.services import hosts, processes

logger = logging.getLogger(__name__)

REPORT_SECONDS: Final = 20.0


class Presence:
    """The reporting thread of a process; it has no connection between two reports."""

    def __init__(self) -> None:
        self.process = processes.new_id()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="presence", daemon=True)

    def begin(self) -> None:
        """Report until `end`."""
        hosts.start_reading_marks()
        self._thread.start()

    def end(self) -> None:
        """The process ends as asked: stop waiting for its reports."""
        self._ending.set()
        self._thread.join(REPORT_SECONDS)

    def report(self) -> None:
        """Report once; if the database is away, the next report is the retry."""
        self._try(lambda: processes.report(self.process, SiteProcess.Kind.WEB))

    def _work(self) -> None:
        self.report()
        while not self._ending.wait(REPORT_SECONDS):
            self.report()
        self._try(lambda: processes.leave(self.process))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (DatabaseError, *GONE) as error:
            logger.info("not reported: %s", type(error).__name__)
        finally:
            connection.close()
