"""Sync settings: one row per linked account with its schedule, memory, counters and feed head."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from django.db import models

from accounts.models import LinkedAccount

MAXIMUM_INTERVAL = 7 * 24 * 60
DEFAULT_INTERVAL = 360


def new_digest_key() -> bytes:
    """16 random bytes that key the digest of one account's list."""
    return secrets.token_bytes(16)


class SyncSettings(models.Model):
    """The sync state of one linked account.

    Times are UTC. `head` is the position of the newest entry of the change feed; only the
    transaction that writes the entries raises it, which makes the feed gapless.
    """

    account = models.OneToOneField(
        LinkedAccount, on_delete=models.DO_NOTHING, primary_key=True, related_name="sync_settings"
    )
    interval_minutes = models.PositiveIntegerField(default=DEFAULT_INTERVAL)
    next_due_at = models.DateTimeField(null=True)
    woken_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    head = models.BigIntegerField(default=0)
    first_position = models.BigIntegerField(default=1)
    epoch = models.UUIDField(default=uuid.uuid4)
    digest_key = models.BinaryField(max_length=16, default=new_digest_key)
    digest = models.CharField(max_length=64, default="0" * 64)
    followers_count = models.BigIntegerField(default=0)
    reported = models.BigIntegerField(null=True)
    complete = models.BooleanField(default=False)
    baseline_at = models.DateTimeField(null=True)
    last_synced_at = models.DateTimeField(null=True)
    last_change_at = models.DateTimeField(null=True)
    came_back_at = models.DateTimeField(null=True)
    """When people who had been missed were last seen again in their places, for how many seconds
    and looks they had been missed."""
    came_back_after = models.BigIntegerField(default=0, db_default=0)
    came_back_looks = models.PositiveIntegerField(default=0, db_default=0)
    memory: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        verbose_name = "sync settings"
        verbose_name_plural = "sync settings"
        indexes = [
            models.Index(
                fields=["next_due_at"],
                name="syncsettings_due",
                condition=models.Q(next_due_at__isnull=False),
            ),
            models.Index(
                fields=["came_back_at"],
                name="syncsettings_came_back",
                condition=models.Q(came_back_at__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="syncsettings_interval_in_bounds",
                condition=models.Q(
                    interval_minutes__gte=1,
                    interval_minutes__lte=MAXIMUM_INTERVAL,
                ),
            ),
            models.CheckConstraint(
                name="syncsettings_counts_not_negative",
                condition=models.Q(followers_count__gte=0, head__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"sync settings of account {self.pk}"


class SiteReappearance(models.Model):
    """A single row: many accounts in which missed people came back at one time.

    `looked_at`: when that was last counted; `at`: when it last happened, for how many `seconds` and
    `looks` people had been missed there, and in how many `accounts`.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    looked_at = models.DateTimeField()
    at = models.DateTimeField(null=True)
    seconds = models.BigIntegerField(default=0)
    looks = models.PositiveIntegerField(default=0)
    accounts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="sitereappearance_is_one_row", condition=models.Q(id=1))
        ]

    def __str__(self) -> str:
        return f"people came back in {self.accounts} accounts"
