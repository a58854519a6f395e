"""Ringing the queue: a task carries nothing but ids, and is rung once its rows are committed."""

from __future__ import annotations

from django.db import transaction
from django_q.tasks import async_task


def enqueue(dotted: str, *ids: int | str) -> None:
    """Run `dotted(*ids)` in a queue worker after the present transaction is committed."""
    transaction.on_commit(lambda: async_task(dotted, *ids))
