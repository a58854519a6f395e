"""Web and queue processes of this site, with their last report."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class SiteProcess(models.Model):
    """One process; its row is deleted after a long silence. `left_at`: it has ended.

    `seen_at` is when it last reported, `worked_at` when one of a queue's workers last finished a
    task for it. `token_keys` are fingerprints of its TOKEN_KEYS, newest first
    (`accounts.crypto.fingerprint`); no key can be computed from one. `marks` are those of the
    storages that its host reaches: `files` and `erasures` (`accounts.services.hosts`).
    """

    class Kind(models.TextChoices):
        WEB = "web", _("web")
        QUEUE = "queue", _("queue")

    id = models.CharField(primary_key=True, max_length=8)
    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    host = models.CharField(_("host"), max_length=253)
    pid = models.PositiveIntegerField(_("process number"))
    started_at = models.DateTimeField(_("started"))
    seen_at = models.DateTimeField(_("last heard of"))
    worked_at = models.DateTimeField(_("last task finished"), null=True)
    left_at = models.DateTimeField(_("ended"), null=True)
    token_keys = ArrayField(models.CharField(max_length=16))
    marks: models.JSONField[Any, Any] = models.JSONField(default=dict, db_default={})

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")

    def __str__(self) -> str:
        return f"{self.kind} on {self.host}, process {self.pid}"
