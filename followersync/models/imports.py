"""Imports: Instagram's exports, the folders watched for them, daily totals and demographics."""

from __future__ import annotations

from typing import Any

from django.db import models

from accounts.models import LinkedAccount
from followersync.models.run import SyncRun


class ArchiveImport(models.Model):
    """One archive and what it was found to contain; `run` holds its progress.

    The archive was made between `spoke_from` (its newest follow) and `spoke_until` (the end of its
    export day, or the upload where it names no day). `ranges` are the [oldest, newest] follow
    seconds of its parts: within one of them it shows everybody. `nameless`: rows without a name.
    `stored` is the file's name in the folder of imports, empty once the run has ended, unless it
    ended with a `question` (a code) that the member may answer until `kept_until`; `stated_owner`
    is the name in the archive that the question is about. `problem_file` is the file inside that
    could not be read. `owner_confirmed`: the member said that it is this account's.
    """

    account = models.ForeignKey(
        LinkedAccount, on_delete=models.DO_NOTHING, related_name="archive_imports", db_index=False
    )
    run = models.OneToOneField(
        SyncRun, on_delete=models.DO_NOTHING, related_name="archive_import", db_constraint=False
    )
    channel = models.CharField(max_length=10)
    stored = models.CharField(max_length=120, blank=True, default="")
    file_name = models.CharField(max_length=255, blank=True, default="")
    size = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    dialect = models.CharField(max_length=20, blank=True, default="")
    approximate = models.BooleanField(default=False)
    exported_on = models.DateField(null=True)
    spoke_from = models.DateTimeField(null=True)
    spoke_until = models.DateTimeField(null=True)
    ranges: models.JSONField[Any, Any] = models.JSONField(default=list)
    people = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=10, blank=True, default="")
    reasons: models.JSONField[Any, Any] = models.JSONField(default=list)
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    head_after = models.BigIntegerField(null=True)
    identified = models.PositiveIntegerField(default=0)
    redated = models.PositiveIntegerField(default=0)
    nameless = models.PositiveIntegerField(default=0)
    problem_file = models.CharField(max_length=255, blank=True, default="")
    owner_confirmed = models.BooleanField(default=False)
    question = models.CharField(max_length=40, blank=True, default="")
    stated_owner = models.CharField(max_length=30, blank=True, default="")
    kept_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-id"], name="archiveimport_newest"),
            models.Index(
                fields=["kept_until"],
                name="archiveimport_kept",
                condition=models.Q(kept_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"import {self.pk} of account {self.account_id}"


class WatchedFolder(models.Model):
    """A folder in the member's storage to which Instagram delivers recurring exports.

    `url` is fsspec's (`file://`, `s3://`, `webdavs://`) and holds no secret; `secrets` is the
    encrypted JSON of the options that do. `local_allowed`: the operator set it up, so it may lie on
    this machine or in its network. `leased_until`: a worker is looking now.
    """

    account = models.OneToOneField(
        LinkedAccount, on_delete=models.DO_NOTHING, related_name="watched_folder"
    )
    url = models.CharField(max_length=500)
    secrets = models.TextField(blank=True, default="")
    local_allowed = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    next_look_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["next_look_at"],
                name="watchedfolder_due",
                condition=models.Q(next_look_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"watched folder of account {self.account_id}"


class WatchedExport(models.Model):
    """One export found in a watched folder, recorded so that it is imported once."""

    account = models.ForeignKey(
        LinkedAccount, on_delete=models.DO_NOTHING, related_name="+", db_index=False
    )
    path = models.CharField(max_length=500)
    mark = models.CharField(max_length=64)
    taken_at = models.DateTimeField()
    run_id = models.BigIntegerField(null=True)
    error_code = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "path", "mark"], name="watchedexport_taken_once"
            ),
        ]

    def __str__(self) -> str:
        return f"export {self.pk} of account {self.account_id}"


class DailyTotal(models.Model):
    """Instagram's totals of one day (UTC): null where unknown, never 0 for missing.

    `gained` and `lost` are its daily totals, up to 48 hours late; `followers` is our own reading of
    the count on that day.
    """

    account = models.ForeignKey(
        LinkedAccount, on_delete=models.DO_NOTHING, related_name="daily_totals", db_index=False
    )
    day = models.DateField()
    gained = models.PositiveIntegerField(null=True)
    lost = models.PositiveIntegerField(null=True)
    followers = models.BigIntegerField(null=True)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="dailytotal_one_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} of account {self.account_id}"


class Demographics(models.Model):
    """The newest answer about one breakdown (age and gender, country, city): top values only."""

    account = models.ForeignKey(
        LinkedAccount, on_delete=models.DO_NOTHING, related_name="demographics", db_index=False
    )
    breakdown = models.CharField(max_length=20)
    values: models.JSONField[Any, Any] = models.JSONField(default=list)
    read_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "demographics"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "breakdown"], name="demographics_one_per_breakdown"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.breakdown} of account {self.account_id}"


class InsightsReading(models.Model):
    """When an account's insights are read next, and how far back they have been read."""

    account = models.OneToOneField(
        LinkedAccount,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        related_name="insights_reading",
    )
    next_due_at = models.DateTimeField(null=True)
    oldest_tried = models.DateField(null=True)
    failures = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["next_due_at"],
                name="insightsreading_due",
                condition=models.Q(next_due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"insights of account {self.pk}"
