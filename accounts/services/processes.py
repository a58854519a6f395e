"""Processes say that they run; what a dead one had in hand is freed for others."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings

from accounts import clock, crypto, queue, registry
from accounts.models import SiteProcess
from accounts.services import hosts

#: Rows of processes that have ended; nobody asks for them any more.
KEPT: Final = timedelta(hours=1)


def new_id() -> str:
    """A number for a process, unlike any that is in use: 8 hexadecimal digits."""
    return secrets.token_hex(4)


def report(process: str, kind: SiteProcess.Kind) -> None:
    """Say that this process runs, which keys it knows and which storages it reaches.

    Raises what a lost database raises.
    """
    now = clock.wall()
    told = {
        "seen_at": now,
        "token_keys": [*map(crypto.fingerprint, settings.TOKEN_KEYS)],
        "marks": hosts.marks(),
    }
    born = {"kind": kind, "host": hosts.name(), "pid": os.getpid(), "started_at": now}
    SiteProcess.objects.update_or_create(pk=process, defaults=told, create_defaults=told | born)
    SiteProcess.objects.filter(seen_at__lt=now - KEPT).delete()


def worked(process: str) -> None:
    """A worker of this queue has taken and finished a task."""
    SiteProcess.objects.filter(pk=process).update(worked_at=clock.wall())


def leave(process: str) -> None:
    """The process has ended. Its row says for a while when it was last heard of."""
    SiteProcess.objects.filter(pk=process).update(left_at=clock.wall())


def end_leases(cluster: str, pid: int | None = None) -> int:
    """Free what a dead process of a queue's cluster (or the whole of it) worked on.

    Whatever it had not committed is gone, and what it had is seen by its successor: each commit
    locks the row that the lease stands in.
    """
    lowest, highest = queue.worker_ids_of(cluster, pid)
    return sum(end(lowest, highest) for end in registry.lease_enders().values())
