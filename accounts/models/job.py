"""Periodic jobs: when each is due next."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ScheduledJob(models.Model):
    """A task of `accounts.registry.jobs`, and when it is to be enqueued next, by our clock."""

    task = models.CharField(_("task"), primary_key=True, max_length=120)
    due_at = models.DateTimeField(_("due"), db_index=True)
    enqueued_at = models.DateTimeField(_("last enqueued"), null=True)

    class Meta:
        verbose_name = _("scheduled job")
        verbose_name_plural = _("scheduled jobs")

    def __str__(self) -> str:
        return self.task
