"""Counters for `/metrics`; `accounts.counters` adds to them."""

from __future__ import annotations

from django.db import models


class Counter(models.Model):
    """One number of one metric family. `labels`: joined by commas; `part`: see counters.Key."""

    name = models.CharField(max_length=40)
    labels = models.CharField(max_length=200, blank=True)
    part = models.CharField(max_length=8)
    value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "labels", "part"], name="counter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.labels} {self.part}"
