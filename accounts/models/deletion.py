"""Erasures: requests and their progress, the list of erasures, and findings of the search."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scopes import Scope

#: Crockford's alphabet: no letters that look like digits.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 20


def new_code() -> str:
    """A confirmation code: 100 random bits, 20 letters and digits."""
    return "".join(secrets.choice(CODE_ALPHABET) for _position in range(CODE_LENGTH))


class DeletionRequest(models.Model):
    """One erasure, from the request to the receipt.

    `account_id` and `owner_id` are plain numbers: the rows they name are deleted, this one stays
    for the public status page, and both numbers are cleared when it is completed. `erased` holds
    rows per kind, committed together with the deletions they count.
    """

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        REQUESTED = "requested", _("requested")
        RUNNING = "running", _("running")
        COMPLETED = "completed", _("completed")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    class Channel(models.TextChoices):
        WEB = "web", _("by the member on the site")
        API = "api", _("by a program of the member")
        ADMIN = "admin", _("by staff")
        INSTAGRAM = "instagram", _("by Instagram")
        DEMO = "demo", _("by the demonstration")
        SYSTEM = "system", _("by the site")

    OPEN: ClassVar[tuple[str, ...]] = ("scheduled", "requested", "running", "failed")

    code = models.CharField(_("confirmation code"), max_length=32, unique=True, default=new_code)
    account_id = models.BigIntegerField(_("account"), null=True, blank=True)
    owner_id = models.BigIntegerField(_("member"), null=True, blank=True)
    everything = models.BooleanField(_("everything"), default=False)
    scope = models.CharField(
        _("scope"), max_length=20, blank=True, choices=[(s.value, s.value) for s in Scope]
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REQUESTED)
    held = models.BooleanField(_("something was held"), default=True)
    requested_at = models.DateTimeField(_("requested"))
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)
    worker = models.UUIDField(null=True, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    error_code = models.CharField(_("last error"), max_length=60, blank=True)
    erased: models.JSONField[Any, Any] = models.JSONField(_("erased"), default=dict, blank=True)
    residue: models.JSONField[Any, Any] = models.JSONField(_("residue"), default=dict, blank=True)
    receipt: models.JSONField[Any, Any] = models.JSONField(_("receipt"), null=True, blank=True)
    commitment = models.CharField(_("commitment"), max_length=64, blank=True)
    callback_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)

    #: The receipt's salt, hex: only on the object that `request_*` returned, never stored.
    salt: str = ""

    class Meta:
        verbose_name = _("deletion")
        verbose_name_plural = _("deletions")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["not_before"],
                name="deletion_open",
                condition=models.Q(state__in=["scheduled", "requested", "running"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "scope"],
                name="deletion_one_open_per_account_and_scope",
                condition=models.Q(state__in=["scheduled", "requested", "running", "failed"]),
            ),
            models.UniqueConstraint(
                fields=["owner_id"],
                name="deletion_one_open_per_member",
                condition=models.Q(
                    state__in=["scheduled", "requested", "running", "failed"], everything=True
                ),
            ),
            models.CheckConstraint(
                name="deletion_completed_names_nobody",
                condition=~models.Q(state="completed")
                | models.Q(
                    account_id__isnull=True, owner_id__isnull=True, completed_at__isnull=False
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class ErasureEntry(models.Model):
    """One entry of the list of erasures; who it was can be found only with the id and the key.

    A backup restored from before `at` contains the data again; `replay_erasures` finds it by the
    fingerprints and erases it once more. `number` names the entry in the list outside the database
    (ERASURES_URL), `listed_at` is when it was written there. `deletion` is cleared when the erasure
    ends.
    """

    class Kind(models.TextChoices):
        ACCOUNT = "account", _("account")
        MEMBER = "member", _("member")
        SCOPE = "scope", _("what one consent paid for")
        PERSON = "person", _("somebody who is no member")

    number = models.UUIDField(unique=True, default=uuid.uuid4, db_default=RandomUUID())
    kind = models.CharField(max_length=10, choices=Kind)
    fingerprint = models.CharField(max_length=64)
    owner_fingerprint = models.CharField(max_length=64, blank=True)
    scope = models.CharField(max_length=20, blank=True, default="", db_default="")
    at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True)
    deletion = models.ForeignKey(
        DeletionRequest, on_delete=models.SET_NULL, null=True, related_name="entries"
    )

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("list of erasures")
        indexes = [
            models.Index(
                fields=["id"], name="erasure_not_listed", condition=models.Q(listed_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.fingerprint[:12]}"


class ErasureList(models.Model):
    """The list of erasures that this database belongs to: one row.

    `mark` is stored in the list itself too. `seen_on` is the database (server, timeline, database)
    for which the list was last found to contain nothing unknown to the database.
    """

    mark = models.CharField(max_length=32)
    made_at = models.DateTimeField()
    seen_on = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="erasurelist_is_one", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return self.mark


class ErasureNeedle(models.Model):
    """A keyed hash of one word of an erased person (id, name, address) for the nightly search.

    `length` of the word, in characters, limits which words are hashed; 0 if unknown. It is compared
    with the hashes of all words in the database, and deleted when `until` has passed.
    """

    deletion = models.ForeignKey(DeletionRequest, on_delete=models.CASCADE, related_name="needles")
    what = models.CharField(max_length=30)
    digest = models.BinaryField(max_length=16)
    length = models.PositiveSmallIntegerField(default=0, db_default=0)
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deletion", "digest"], name="needle_once"),
        ]

    def __str__(self) -> str:
        return f"{self.what} of {self.deletion_id}"


class ResidueFinding(models.Model):
    """A word of an erased person found by the nightly search: possible residue, for staff."""

    deletion = models.ForeignKey(
        DeletionRequest, on_delete=models.CASCADE, null=True, related_name="findings"
    )
    table = models.CharField(_("table"), max_length=100)
    column = models.CharField(_("column"), max_length=100, blank=True)
    row = models.CharField(_("row"), max_length=200)
    what = models.CharField(_("what"), max_length=30)
    found_at = models.DateTimeField(_("found"))
    cleared_at = models.DateTimeField(_("judged"), null=True, blank=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("doubtful residue")
        verbose_name_plural = _("doubtful residue")
        constraints = [
            models.UniqueConstraint(
                fields=["deletion", "table", "row", "what"],
                name="residue_found_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} in {self.table}"
