"""When each job that is done again and again is due next."""

from __future__ import annotations

from django.db import models


class ScheduledJob(models.Model):
    """A task of `accounts.registry.jobs`, and when it is to be enqueued next, by our clock."""

    task = models.CharField(primary_key=True, max_length=120)
    due_at = models.DateTimeField(db_index=True)
    enqueued_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.task
