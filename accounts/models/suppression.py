"""Privacy requests of non-members, and the suppression list of hashed names and ids."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.deletion import new_code


class PrivacyRequest(models.Model):
    """A request at /privacy/: for access to the data about a name, or for its suppression.

    Name and contact are stored in clear only until the request is closed and answered; `wiped_at`
    is when they were deleted. `due_at` is the month of GDPR article 12 (3).
    """

    class Kind(models.TextChoices):
        ACCESS = "access", _("what is held about me")
        OBJECTION = "objection", _("keep my name out")
        ERASURE = "erasure", _("drop my name everywhere and keep it out")

    class Proof(models.TextChoices):
        NONE = "none", _("none yet")
        INSTAGRAM = "instagram", _("signed in with Instagram")
        STAFF = "staff", _("seen by staff")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        GRANTED = "granted", _("granted")
        COMPLETED = "completed", _("completed")
        REFUSED = "refused", _("refused")

    code = models.CharField(_("code"), max_length=32, unique=True, default=new_code)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    username = models.CharField(_("Instagram name"), max_length=64, blank=True)
    instagram_id = models.CharField(_("Instagram id"), max_length=32, blank=True)
    contact = models.EmailField(_("e-mail"), blank=True)
    message = models.TextField(_("message"), max_length=4000, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    proof = models.CharField(_("proof"), max_length=10, choices=Proof, default=Proof.NONE)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    received_at = models.DateTimeField(_("received"))
    due_at = models.DateTimeField(_("to be answered by"))
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.TextField(_("reason given"), blank=True)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)
    removed: models.JSONField[Any, Any] = models.JSONField(_("removed"), default=dict, blank=True)
    wiped_at = models.DateTimeField(_("name wiped"), null=True, blank=True)

    class Meta:
        verbose_name = _("request of a non-member")
        verbose_name_plural = _("requests of non-members")
        ordering = ["due_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="privacyrequest_wiped_names_nobody",
                condition=models.Q(wiped_at__isnull=True)
                | models.Q(username="", instagram_id="", contact="", message=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"


class SuppressedPerson(models.Model):
    """A keyed hash of one name or one id that must never be stored again."""

    class Kind(models.TextChoices):
        ID = "id", _("Instagram id")
        NAME = "name", _("Instagram name")

    kind = models.CharField(max_length=4, choices=Kind)
    digest = models.BinaryField(max_length=32, unique=True)
    at = models.DateTimeField()
    request = models.ForeignKey(
        PrivacyRequest, on_delete=models.SET_NULL, null=True, related_name="suppressions"
    )

    class Meta:
        verbose_name = _("suppressed person")
        verbose_name_plural = _("suppression list")

    def __str__(self) -> str:
        return f"{self.kind} {bytes(self.digest).hex()[:12]}"
