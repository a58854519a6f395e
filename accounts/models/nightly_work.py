"""Nightly work: progress and duration of each piece."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class NightJob(models.Model):
    """One piece of nightly work, done in slices.

    `night` is the site's local date of its last start. `cursor` is where the next slice continues,
    `memory` what one night passes on to the next. `seconds` of work, without waiting; `longest` is
    the longest slice. `worker` and `claimed_until` are the lease.
    """

    name = models.CharField(_("work"), max_length=60, unique=True)
    night = models.DateField(_("night"))
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    cursor: models.JSONField[Any, Any] = models.JSONField(default=dict)
    memory: models.JSONField[Any, Any] = models.JSONField(default=dict)
    done = models.BigIntegerField(_("done"), default=0)
    slices = models.PositiveIntegerField(_("slices"), default=0)
    seconds = models.FloatField(_("seconds"), default=0.0)
    longest = models.FloatField(_("longest slice"), default=0.0)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    error_code = models.CharField(_("last error"), max_length=60, blank=True, default="")
    not_before = models.DateTimeField(null=True)
    worker = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("nightly work")
        verbose_name_plural = _("nightly work")

    def __str__(self) -> str:
        return f"{self.name} of {self.night}"
