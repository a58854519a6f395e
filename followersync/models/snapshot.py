"""Snapshot: what a finished run found."""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts.models import LinkedAccount
from followersync.models.run import Mode


class FollowerSnapshot(models.Model):
    """Counts, changes, digest and evidence of one finished run; never the list itself.

    `followers`: of the list; None where it may not be read. `reported`: Instagram's own count; None
    where it is unknown or the member does not allow keeping it.
    """

    account = models.ForeignKey(
        LinkedAccount, on_delete=models.DO_NOTHING, related_name="snapshots", db_index=False
    )
    run_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    mode = models.CharField(max_length=10, choices=Mode)
    position = models.BigIntegerField()
    followers = models.BigIntegerField(null=True)
    reported = models.BigIntegerField(null=True)
    unconfirmed = models.PositiveIntegerField(default=0)
    gained = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    returned = models.PositiveIntegerField(default=0)
    renamed = models.PositiveIntegerField(default=0)
    complete = models.BooleanField(default=False)
    digest = models.CharField(max_length=64, blank=True, default="")
    evidence: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["account", "at"], name="followersnapshot_series")]

    def __str__(self) -> str:
        return f"snapshot of account {self.account_id} at {self.at}"
