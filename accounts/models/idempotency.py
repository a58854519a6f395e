"""Idempotency keys: the request under a key, and its answer."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models


class IdempotencyRecord(models.Model):
    """One key of one member. Keys and bodies are stored only as hashes, for a day.

    `status` is null while the first request, the owner of `claim`, is running. `account_id` is the
    account in the answer, so that the record is erased with the account's data.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="idempotency_records"
    )
    key_hash = models.CharField(max_length=64)
    request_hash = models.CharField(max_length=64)
    account_id = models.BigIntegerField(null=True)
    claim = models.UUIDField(default=uuid.uuid4, unique=True)
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField(null=True)
    location = models.TextField(blank=True, default="")
    body: models.JSONField[Any, Any] = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key_hash"], name="idempotency_key_once"),
        ]
        indexes = [
            models.Index(
                fields=["account_id"],
                name="idempotency_by_account",
                condition=models.Q(account_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"idempotency record {self.pk}"
