"""The user model: members and staff."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A member, or staff. Their addresses and second factors are in allauth's tables."""

    language = models.CharField(_("language"), max_length=10, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    email_reminder_hidden_until = models.DateTimeField(
        _("reminder of a recovery contact hidden until"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
