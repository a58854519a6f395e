"""Linked accounts: Instagram accounts of members, and their state."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _


class LinkedAccount(models.Model):
    """An Instagram account that a member has linked; a member may link several.

    Instagram's ids are strings: they exceed 2^53, and we never calculate with them. `instagram_id`
    is the professional account's (1784...; also `entry.id` in webhooks), `app_scoped_id` the one
    for our app only; neither is the username, which people change.
    """

    class Kind(models.TextChoices):
        OAUTH = "oauth", _("by Instagram")
        ARCHIVE = "archive", _("by archive")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="linked_accounts",
        verbose_name=_("member"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.OAUTH)
    instagram_id = models.CharField(_("Instagram id"), max_length=32, null=True, blank=True)
    #: The same as a number, as in the keys of follower lists; null if it is
    #: not one. PostgreSQL generates it, so the two can never differ.
    instagram_number = models.GeneratedField(
        expression=models.Case(
            models.When(
                instagram_id__regex=r"^[0-9]{1,18}$",
                then=Cast("instagram_id", models.BigIntegerField()),
            )
        ),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    app_scoped_id = models.CharField(
        _("app-scoped id"), max_length=32, null=True, blank=True, db_index=True
    )
    username = models.CharField(_("username"), max_length=64)
    granted_permissions = ArrayField(
        models.CharField(max_length=64), default=list, blank=True, verbose_name=_("permissions")
    )
    linked_at = models.DateTimeField(_("linked"))
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    needs_reconnect_since = models.DateTimeField(_("needs reconnect since"), null=True, blank=True)
    reconnect_reason = models.CharField(_("reason"), max_length=40, blank=True)
    unlinked_at = models.DateTimeField(_("unlinked"), null=True, blank=True)
    restorable_until = models.DateTimeField(_("restorable until"), null=True, blank=True)
    profile_refreshed_at = models.DateTimeField(_("profile read"), null=True, blank=True)
    #: Since when Instagram sends webhooks for this account; null if it does not.
    webhooks_since = models.DateTimeField(_("webhooks since"), null=True, blank=True)

    class Meta:
        verbose_name = _("linked account")
        verbose_name_plural = _("linked accounts")
        constraints = [
            # Only one member at a time has a proven account.
            models.UniqueConstraint(
                fields=["instagram_id"],
                condition=models.Q(instagram_id__isnull=False, unlinked_at__isnull=True),
                name="linked_instagram_id_held_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="archive", instagram_id__isnull=True)
                | (models.Q(kind="oauth", instagram_id__isnull=False) & ~models.Q(instagram_id="")),
                name="linked_oauth_has_instagram_id",
            ),
            models.CheckConstraint(
                condition=models.Q(restorable_until__isnull=True)
                | models.Q(unlinked_at__isnull=False),
                name="linked_restorable_only_when_unlinked",
            ),
        ]
        indexes = [
            models.Index(fields=["instagram_id"], name="linked_by_instagram_id"),
            models.Index(
                fields=["instagram_number"],
                condition=models.Q(unlinked_at__isnull=True),
                name="linked_by_number",
            ),
        ]

    def __str__(self) -> str:
        return f"@{self.username}"

    @property
    def state(self) -> str:
        """One word for pages and programs; the most important state wins."""
        if self.unlinked_at:
            return "unlinked"
        if self.paused_at:
            return "paused"
        if self.needs_reconnect_since:
            return "needs_reconnect"
        return "active"

    @property
    def is_proven(self) -> bool:
        """Whether Instagram confirmed that it is this member's. An archive proves nothing."""
        return self.kind == self.Kind.OAUTH
