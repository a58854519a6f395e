"""Transferred items: files pushed by a data-transfer tool, until they are imported."""

from __future__ import annotations

from django.db import models

from accounts.models import LinkedAccount


class TransferredItem(models.Model):
    """One pushed file: a zip, or a list of an unpacked export.

    `export` is the folder of the unpacked export that the file belongs to, or a zip's own path:
    items that share it are imported together. `digest`: SHA-256 of the content, by which a repeated
    delivery is recognised. `stored` is the file's name in the folder of transfers, empty once it
    was imported (`run_id`) or refused (`error_code`).
    """

    account = models.ForeignKey(LinkedAccount, on_delete=models.DO_NOTHING, related_name="+")
    export = models.CharField(max_length=500)
    path = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)
    size = models.BigIntegerField()
    zipped = models.BooleanField()
    received_at = models.DateTimeField()
    stored = models.CharField(max_length=120, blank=True, default="")
    run_id = models.BigIntegerField(null=True)
    error_code = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["received_at"],
                name="transferreditem_waiting",
                condition=~models.Q(stored=""),
            ),
        ]

    def __str__(self) -> str:
        return f"transferred item {self.pk} of account {self.account_id}"
