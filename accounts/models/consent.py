"""The consent ledger. Append-only: triggers (migration 0002) refuse everything else.

Entries name a random subject; only `ConsentSubject` says whose it is, and it is erased with the
account. Each entry's MAC covers the one before it, and its key is not in the database; heads and
the number of chains are stored apart and signed, so that an altered, truncated, dropped or rebuilt
chain is detected.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.linked_account import LinkedAccount
from accounts.scopes import GRACE, Scope

SCOPE_CHOICES = [(str(name), str(name)) for name in (*Scope, GRACE)]


class ConsentSubject(models.Model):
    """The owner of a chain: the only row that joins the ledger to an account."""

    account = models.OneToOneField(
        LinkedAccount, on_delete=models.CASCADE, related_name="consent_subject"
    )
    subject = models.UUIDField(unique=True, default=uuid.uuid4)

    def __str__(self) -> str:
        return str(self.subject)


class ConsentText(models.Model):
    """A consent text exactly as a member saw it."""

    scope = models.CharField(max_length=20, choices=SCOPE_CHOICES)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=10)
    text = models.TextField()
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "version", "language"], name="consent_text_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} v{self.version} ({self.language})"


class ConsentEvent(models.Model):
    """One grant or withdrawal."""

    class Action(models.TextChoices):
        GRANTED = "granted", _("granted")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Channel(models.TextChoices):
        WEB = "web", _("by the member on the site")
        API = "api", _("by a program of the member")
        ADMIN = "admin", _("by staff")
        INSTAGRAM = "instagram", _("by Instagram")
        DEMO = "demo", _("by the demonstration")
        SYSTEM = "system", _("by the site")

    subject = models.UUIDField()
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    scope = models.CharField(max_length=20, choices=SCOPE_CHOICES)
    action = models.CharField(max_length=10, choices=Action)
    channel = models.CharField(max_length=10, choices=Channel)
    text_version = models.PositiveIntegerField()
    text_hash = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=10, blank=True)
    keep_data = models.BooleanField(default=False)
    previous_mac = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("consent entry")
        verbose_name_plural = _("consent ledger")
        constraints = [
            models.UniqueConstraint(fields=["subject", "sequence"], name="consent_sequence_once"),
            models.CheckConstraint(
                condition=models.Q(action="withdrawn") | ~models.Q(text_hash=""),
                name="consent_grant_names_its_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} #{self.sequence}: {self.scope} {self.action}"


class ConsentHead(models.Model):
    """The end of one chain: its number of entries and the last one's MAC, signed.

    `number` counts the chains without a gap, so that a dropped chain leaves a gap. When a chain is
    deleted after its retention period, `pruned_at` says that this was intended.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    subject = models.UUIDField(unique=True)
    count = models.PositiveIntegerField()
    mac = models.CharField(max_length=64)
    pruned_at = models.DateTimeField(null=True)
    signature = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"chain {self.number}: {self.count} entries"


class ConsentRegister(models.Model):
    """The number of chains, signed: one row. It reveals a dropped newest chain."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    chains = models.PositiveBigIntegerField(default=0)
    signature = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="consent_register_single"),
        ]

    def __str__(self) -> str:
        return f"{self.chains} chains"
