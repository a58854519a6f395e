"""Exports: copies of all data stored about a member."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class DataExport(models.Model):
    """One ZIP, made in the queue. `path` is relative to the folder of exports; `size` is bytes.

    `progress` is `{"dataset": name, "datasets": n, "of": n, "rows": n}`, shown to the member.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        EXPIRED = "expired", _("expired")

    OPEN: ClassVar[tuple[str, ...]] = ("queued", "running")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="data_exports"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField(_("requested"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    path = models.CharField(max_length=120, blank=True)
    size = models.BigIntegerField(_("bytes"), default=0)
    progress: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    worker = models.UUIDField(null=True, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("data export")
        verbose_name_plural = _("data exports")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner"],
                name="export_one_open_per_member",
                condition=models.Q(state__in=["queued", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return f"export {self.pk} ({self.state})"
