"""Enqueueing tasks, which carry nothing but ids, and the identity under which a worker works."""

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

#: The variable that holds the number of a queue's cluster (8 hexadecimal digits) in its processes.
CLUSTER: Final = "THREADSITE_CLUSTER"


def enqueue(dotted: str, *ids: int | str) -> None:
    """Run `dotted(*ids)` in a queue worker after the present transaction is committed.

    What is to be done stands in our own rows, so a queue that is away makes it late, and does not
    fail whoever has just committed.
    """
    transaction.on_commit(lambda: _enqueue(dotted, *ids))


def _enqueue(dotted: str, *ids: int | str) -> None:
    try:
        async_task(dotted, *ids)
    except GONE as error:
        logger.warning("%s is enqueued later, the queue is away (%s)", dotted, type(error).__name__)


def take_former_signatures() -> None:
    """Tasks that were signed under a key of SECRET_KEY_FALLBACKS are taken too.

    django-q2's signer is Django's but for that, and takes bytes, as Redis gives them. Called once,
    when Django is ready.
    """
    core_signing.Signer.unsign = _unsign


def _unsign(self: signing.Signer, signed_value: str | bytes) -> str:
    return signing.Signer.unsign(self, force_str(signed_value))


def cluster_id() -> str | None:
    """The number of the cluster that this process belongs to; None outside of one."""
    return os.environ.get(CLUSTER)


def new_worker_id() -> UUID:
    """For the lease of a job: one of a cluster's begins with its number and our process's.

    So whoever sees that process die can end its leases (`worker_ids_of`) instead of waiting.
    """
    cluster = cluster_id()
    if cluster is None:
        return uuid4()
    return UUID(hex=f"{cluster}{os.getpid():08x}{secrets.token_hex(8)}")


def worker_ids_of(cluster: str, pid: int | None = None) -> tuple[UUID, UUID]:
    """The lowest and highest id of a process's leases; without `pid`, of the whole cluster's."""
    begins = cluster if pid is None else f"{cluster}{pid:08x}"
    return UUID(hex=begins.ljust(32, "0")), UUID(hex=begins.ljust(32, "f"))
