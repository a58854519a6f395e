"""The hosts that web and queue processes run on, as they last said."""

from __future__ import annotations

from typing import Any

from django.db import models


class Host(models.Model):
    """One host. `facts` is what it found: `files` and `erasures`, the marks of both storages."""

    name = models.CharField(max_length=253, unique=True)
    seen_at = models.DateTimeField()
    facts: models.JSONField[Any, Any] = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
