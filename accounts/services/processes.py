"""Reports of running processes; ends the leases of dead ones."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings

from accounts import clock, crypto, queue, registry
from accounts.models import SiteProcess
from accounts.services import hosts

#: How long rows of ended processes are kept.
KEPT: Final = timedelta(hours=1)


def new_id() -> str:
    """An unused id for a process: 8 hexadecimal digits."""
    return secrets.token_hex(4)


def report(process: str, kind: SiteProcess.Kind) -> None:
    """Record that this process runs, its keys and its storages.

    Raises the database's connection errors.
    """
    now = clock.wall()
    values = {
        "seen_at": now,
        "token_keys": [*map(crypto.fingerprint, settings.TOKEN_KEYS)],
        "marks": hosts.marks(),
    }
    born = {"kind": kind, "host": hosts.name(), "pid": os.getpid(), "started_at": now}
    SiteProcess.objects.update_or_create(pk=process, defaults=values, create_defaults=values | born)
    SiteProcess.objects.filter(seen_at__lt=now - KEPT).delete()


def worked(process: str) -> None:
    """Record that a worker of this queue has finished a task."""
    SiteProcess.objects.filter(pk=process).update(worked_at=clock.wall())


def leave(process: str) -> None:
    """Record that the process has ended. Its row is kept for a while."""
    SiteProcess.objects.filter(pk=process).update(left_at=clock.wall())


def end_leases(cluster: str, pid: int | None = None) -> int:
    """End the leases of a dead process of a cluster, or of the whole cluster.

    Its uncommitted work is rolled back, and its successor sees what it committed: each commit locks
    the row with the lease.
    """
    lowest, highest = queue.worker_ids_of(cluster, pid)
    return sum(end(lowest, highest) for end in registry.lease_enders().values())
