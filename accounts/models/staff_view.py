"""Log of which staff member viewed which record."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class StaffView(models.Model):
    """One view of a record in the admin by a staff member.

    `account_id` and `owner_id` say whose record it was; they are plain numbers, so that the log is
    erased with the account's or member's data, and is no reason to keep either.
    """

    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="staff_views",
        verbose_name=_("staff"),
    )
    at = models.DateTimeField(_("at"), db_index=True)
    what = models.CharField(_("what"), max_length=100)
    object_id = models.CharField(_("which"), max_length=64, blank=True)
    account_id = models.BigIntegerField(_("account"), null=True)
    owner_id = models.BigIntegerField(_("member"), null=True)

    class Meta:
        verbose_name = _("look by staff")
        verbose_name_plural = _("looks by staff")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.what} {self.object_id}"
