"""Members' stored files, and their pieces if PostgreSQL stores them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.linked_account import LinkedAccount


class KeptFile(models.Model):
    """One encrypted file, stored under `name` wherever FILES_URL says.

    `key` (encrypted under TOKEN_KEYS) is the only way to read it. `size` is in bytes, in clear. It
    belongs to a member (an export) or to an account (a waiting import).
    """

    class Area(models.TextChoices):
        EXPORTS = "exports", _("copies for members")
        IMPORTS = "imports", _("archives to be imported")
        TRANSFERS = "transfers", _("files pushed by data-transfer tools")

    name = models.CharField(max_length=100, unique=True)
    area = models.CharField(max_length=10, choices=Area)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    account = models.ForeignKey(
        LinkedAccount, on_delete=models.CASCADE, null=True, related_name="+"
    )
    key = models.TextField()
    size = models.BigIntegerField(default=0)
    stored_at = models.DateTimeField()
    complete = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("kept file")
        verbose_name_plural = _("kept files")
        indexes = [models.Index(fields=["area", "stored_at"], name="keptfile_oldest")]
        constraints = [
            models.CheckConstraint(
                name="keptfile_belongs_to_one",
                condition=models.Q(owner__isnull=True) ^ models.Q(account__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FilePiece(models.Model):
    """Piece `number` of the file `name`; unreadable without the KeptFile's key."""

    name = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    data = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="filepiece_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, piece {self.number}"
