"""Full scans, and the pages of a scan that are stored until they are judged."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import LinkedAccount


class FullScan(models.Model):
    """One reading of the whole list, advanced in slices by several runs: its figures.

    The state needed to continue is in `SyncSettings.memory`, committed with its pages.
    """

    class Outcome(models.TextChoices):
        FINISHED = "finished"
        ABANDONED = "abandoned"

    account = models.ForeignKey(
        LinkedAccount, on_delete=models.DO_NOTHING, related_name="full_scans", db_index=False
    )
    why = models.CharField(max_length=20, blank=True, default="")
    started_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, default="")
    pages = models.PositiveIntegerField(default=0)
    people = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="fullscan_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="fullscan_one_open_per_account",
                condition=models.Q(closed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"full scan {self.pk} ({self.outcome or 'open'})"


class ScanPage(models.Model):
    """The people on one page, and what it is evidence of; stored until they are judged.

    People strictly between the places `bottom` and `top` were on the page or absent. Null: it is
    evidence of nobody's absence.
    """

    pk = models.CompositePrimaryKey("account_id", "number")
    account_id = models.BigIntegerField()
    number = models.BigIntegerField()
    part = models.CharField(max_length=10)
    at = models.DateTimeField()
    top = models.BigIntegerField(null=True)
    bottom = models.BigIntegerField(null=True)
    spoiled = models.CharField(max_length=20, blank=True, default="")
    # How to read it again: the cursor it was requested with ("": the first page), and its size.
    after = models.TextField(blank=True, default="")
    limit = models.PositiveIntegerField(default=0)
    keys = ArrayField(models.BigIntegerField())

    class Meta:
        verbose_name = "scan page"

    def __str__(self) -> str:
        return f"page {self.number} of account {self.account_id}"
