"""Call budget: calls made towards Instagram in the current hour, shared by all workers."""

from __future__ import annotations

from django.db import models


class CallBudget(models.Model):
    """Calls in the current hour of one account (`account:<id>`) or of the app (`app`).

    `blocked_until` comes from Instagram (a rate-limit answer or usage header) and overrides our own
    count.
    """

    name = models.CharField(max_length=40, primary_key=True)
    window_started_at = models.DateTimeField()
    calls = models.PositiveIntegerField(default=0)
    percent = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "call budget"

    def __str__(self) -> str:
        return f"budget of {self.name}"
