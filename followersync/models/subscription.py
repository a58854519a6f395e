"""Outbound webhooks: subscriptions, and how far each was notified of each account's feed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import LinkedAccount


class WebhookSubscription(models.Model):
    """One address that is notified of changes in all of its member's accounts.

    `secret` is ciphertext (accounts.crypto). `program`: the id of the program that made it, which
    must still have the member's access; empty where the member did. After a failure nothing is sent
    before `next_attempt_at`; until `leased_until` a worker has it.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="webhook_subscriptions",
        verbose_name=_("member"),
    )
    url = models.CharField(_("address"), max_length=500)
    secret = models.TextField()
    program = models.CharField(_("program"), max_length=100, blank=True, default="")
    created_at = models.DateTimeField(_("created"))
    disabled_at = models.DateTimeField(_("disabled"), null=True, blank=True)
    disabled_reason = models.CharField(_("reason"), max_length=40, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    last_delivered_at = models.DateTimeField(_("last delivered"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints = [
            models.UniqueConstraint(fields=["owner", "url"], name="webhook_address_once"),
        ]

    def __str__(self) -> str:
        return f"webhook {self.pk}"


class WebhookMark(models.Model):
    """How far one subscription has been notified of one account's feed.

    The news is the difference between this and the feed's head, so there is no list of messages
    that could grow, get lost or arrive twice in disorder.
    """

    subscription = models.ForeignKey(
        WebhookSubscription, on_delete=models.CASCADE, related_name="marks"
    )
    account = models.ForeignKey(
        LinkedAccount, on_delete=models.CASCADE, related_name="webhook_marks"
    )
    epoch = models.UUIDField()
    position = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "account"], name="webhook_mark_once"),
        ]

    def __str__(self) -> str:
        return f"account {self.account_id} told up to {self.position}"
