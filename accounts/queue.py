"""Enqueueing tasks, which carry only ids, and worker ids for leases."""

from __future__ import annotations

import logging
import os
import secrets
from typing import Final
from uuid import UUID, uuid4

from django.core import signing
from django.db import transaction
from django.utils.encoding import force_str
from django_q import core_signing
from django_q.tasks import async_task

from accounts.connectivity import GONE

logger = logging.getLogger(__name__)

#: The environment variable with the id of a queue's cluster (8 hexadecimal digits).
CLUSTER: Final = "THREADSITE_CLUSTER"


def enqueue(dotted: str, *ids: int | str) -> None:
    """Run `dotted(*ids)` in a queue worker after the present transaction is committed.

    What is due is stored in our own rows, so an unreachable queue delays the task, and does not
    fail the caller, who has just committed.
    """
    transaction.on_commit(lambda: _enqueue(dotted, *ids))


def _enqueue(dotted: str, *ids: int | str) -> None:
    try:
        async_task(dotted, *ids)
    except GONE as error:
        logger.warning("%s is enqueued later, the queue is away (%s)", dotted, type(error).__name__)


def accept_former_signatures() -> None:
    """Accept tasks signed under a key of SECRET_KEY_FALLBACKS too.

    django-q2's signer is Django's except for that, and takes bytes, as Redis returns them. Called
    once, when Django is ready.
    """
    core_signing.Signer.unsign = _unsign


def _unsign(self: signing.Signer, signed_value: str | bytes) -> str:
    return signing.Signer.unsign(self, force_str(signed_value))


def cluster_id() -> str | None:
    """The id of this process's cluster; None outside of one."""
    return os.environ.get(CLUSTER)


def new_worker_id() -> UUID:
    """A worker id for a lease; in a cluster it begins with the cluster's and process's ids.

    So the leases of a dead process can be ended (`worker_ids_of`) instead of waited for.
    """
    cluster = cluster_id()
    if cluster is None:
        return uuid4()
    return UUID(hex=f"{cluster}{os.getpid():08x}{secrets.token_hex(8)}")


def worker_ids_of(cluster: str, pid: int | None = None) -> tuple[UUID, UUID]:
    """The lowest and highest worker id of a process; without `pid`, of the whole cluster."""
    begins = cluster if pid is None else f"{cluster}{pid:08x}"
    return UUID(hex=begins.ljust(32, "0")), UUID(hex=begins.ljust(32, "f"))
