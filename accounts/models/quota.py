"""Quotas: use of expensive actions by members and visitors."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class QuotaUse(models.Model):
    """One member's use of one quota, as one moment (generic cell rate algorithm).

    `spent_until` advances by a share of the period with each use, and may be ahead of the present
    by one period at most: a single row and a single statement count exactly, however many requests
    come at once.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="quota_uses"
    )
    name = models.CharField(max_length=40)
    spent_until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="quota_use_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of member {self.user_id}"


class VisitorQuotaUse(models.Model):
    """The same for a visitor: by their network address or the e-mail address they give.

    `mark` is a keyed hash: no address is stored. The row is of no use after `spent_until`, and is
    deleted the next night.
    """

    mark = models.CharField(max_length=64)
    name = models.CharField(max_length=40)
    spent_until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mark", "name"], name="visitor_quota_use_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of a visitor"
