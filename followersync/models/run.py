"""Sync run: one attempt to bring an account up to date; it survives restarts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import LinkedAccount


class Trigger(models.TextChoices):
    SCHEDULE = "schedule", _("on schedule")
    MEMBER = "member", _("by the member")
    LINK = "link", _("after linking")
    WEBHOOK = "webhook", _("by a message from Instagram")
    PROGRAM = "program", _("by a program")
    STAFF = "staff", _("by staff")
    RECONNECT = "reconnect", _("after reconnecting")
    IMPORT = "import", _("by an import")


class Mode(models.TextChoices):
    COUNT = "count", _("count only")
    HEAD = "head", _("newest followers")
    FULL = "full", _("whole list")
    IMPORT = "import", _("import")


class SyncRun(models.Model):
    """One run. `worker` and `heartbeat_at` are the lease: who has it, and since when."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        WAITING = "waiting", _("waiting")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    OPEN: ClassVar[tuple[str, ...]] = ("queued", "running", "waiting")

    account = models.ForeignKey(
        LinkedAccount, on_delete=models.DO_NOTHING, related_name="sync_runs", db_index=False
    )
    trigger = models.CharField(max_length=10, choices=Trigger)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.HEAD)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    worker = models.UUIDField(null=True)
    not_before = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    gained = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    returned = models.PositiveIntegerField(default=0)
    renamed = models.PositiveIntegerField(default=0)
    progress: models.JSONField[Any, Any] = models.JSONField(default=dict)
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_detail = models.TextField(blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["account", "-id"], name="syncrun_newest"),
            # For the runs of a day: a few kilobytes, since runs are written in their order.
            BrinIndex(fields=["created_at"], name="syncrun_made", autosummarize=True),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="syncrun_one_open_per_account",
                condition=models.Q(state__in=["queued", "running", "waiting"]),
            ),
            models.CheckConstraint(
                name="syncrun_finished_when_closed",
                condition=models.Q(
                    state__in=["queued", "running", "waiting"], finished_at__isnull=True
                )
                | models.Q(
                    state__in=["succeeded", "failed", "cancelled"], finished_at__isnull=False
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
