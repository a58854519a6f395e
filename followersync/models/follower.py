"""Follower lists: current followers, past intervals, absences and the change feed.

Every row begins with its account, so that the tables can be partitioned by it, and none has a
foreign key: a check per row would cost more than the load itself. The transaction that writes
them locks the account's sync settings, which do have one.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

# Places that agree above this bit are one block; neighbours are 2^16 apart when first numbered.
BLOCK_BITS = 26


class Source(models.IntegerChoices):
    EDGE = 1, "edge"
    ARCHIVE = 2, "archive"


class ChangeKind(models.TextChoices):
    GAINED = "gained"
    FOUND = "found"
    LOST = "lost"
    RETURNED = "returned"
    RENAMED = "renamed"
    IDENTIFIED = "identified"
    REDATED = "redated"
    REMOVED = "removed"


def public_id(key: int) -> str:
    """The key as shown outside: Instagram's digits, or `u_…` for a surrogate."""
    return str(key) if key >= 0 else f"u_{-key}"


class Follower(models.Model):
    """One current follower. A null `first_seen_at` means: in the first complete list.

    At most eight columns, so that nulls cost nothing (PostgreSQL's null bitmap then fits into the
    row header). `place` orders the list, newest highest; `sure`: it can be relied upon. `since` is
    when they followed, where known. The collation makes a prefix a range of the index.
    """

    pk = models.CompositePrimaryKey("account_id", "key")
    account_id = models.BigIntegerField()
    key = models.BigIntegerField()
    place = models.BigIntegerField()
    first_seen_at = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)
    source = models.PositiveSmallIntegerField(choices=Source, default=Source.EDGE)
    sure = models.BooleanField(default=True)
    username = models.CharField(max_length=120, db_collation="C")

    class Meta:
        indexes = [
            models.Index(
                fields=["account_id", "username"],
                name="follower_by_username",
            ),
            # By blocks of the list, of about a thousand people each: PostgreSQL stores equal
            # entries once, so this takes a quarter of an index of each place.
            models.Index(
                models.F("account_id"),
                models.F("place").bitrightshift(BLOCK_BITS),
                name="follower_by_stretch",
            ),
            # Excludes the first list, and so costs nothing when that is loaded.
            models.Index(
                fields=["account_id", "first_seen_at", "key"],
                name="follower_by_start",
                condition=models.Q(first_seen_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.username} of account {self.account_id}"


class Absence(models.Model):
    """A current follower whom the last look did not show: unconfirmed, still a follower.

    `unconfirmed_since` and `last_at` are the first and the newest look that counts; `look_times`
    are those of all, in unix seconds. The other columns are the person's record, see
    `followersync.domain.values.Absence`. `beyond`: they may stand below the last whom Instagram
    shows.
    """

    pk = models.CompositePrimaryKey("account_id", "key")
    account_id = models.BigIntegerField()
    key = models.BigIntegerField()
    unconfirmed_since = models.DateTimeField()
    looks = models.PositiveIntegerField(default=0)
    witnessed = models.PositiveIntegerField(default=0)
    agreed = models.PositiveIntegerField(default=0, db_default=0)
    whole = models.PositiveIntegerField(default=0, db_default=0)
    whole_at = models.BigIntegerField(default=0, db_default=0)
    last_at = models.DateTimeField()
    settled = models.BooleanField(default=False, db_default=False)
    counted = models.BooleanField(default=False, db_default=False)
    suspect = models.BooleanField(default=False, db_default=False)
    shown = models.PositiveIntegerField(default=0, db_default=0)
    most = models.PositiveIntegerField(default=0, db_default=0)
    longer = models.PositiveIntegerField(default=0, db_default=0)
    shorter = models.PositiveIntegerField(default=0, db_default=0)
    beyond = models.BooleanField(default=False, db_default=False)
    look_times = ArrayField(models.BigIntegerField(), default=list, db_default=[])

    class Meta:
        verbose_name = "absence"

    def __str__(self) -> str:
        return f"absence of {self.key} from account {self.account_id}"


class PastFollow(models.Model):
    """A closed interval [valid_from, valid_to): `username` is the name at its end.

    `evidence`: what proved its end, null where no look did: `proof` (see
    `followersync.domain.values`), `since` and `looks` (unix seconds of the looks that missed them),
    `above` and `below` (the places of those who stood next to them and were shown by the last).
    """

    pk = models.CompositePrimaryKey("account_id", "key", "valid_to")
    account_id = models.BigIntegerField()
    key = models.BigIntegerField()
    valid_to = models.DateTimeField(db_default=Now())
    valid_from = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)
    source = models.PositiveSmallIntegerField(choices=Source, default=Source.EDGE)
    username = models.CharField(max_length=120, db_collation="C")
    evidence: models.JSONField[Any, Any] = models.JSONField(null=True)

    class Meta:
        indexes = [
            # People who came or left in one sync share the time, so both indexes are small. With
            # them a past list reads few rows, whether its time is near the start or the end.
            models.Index(fields=["account_id", "valid_from"], name="pastfollow_by_start"),
            models.Index(fields=["account_id", "valid_to"], name="pastfollow_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.username} of account {self.account_id} until {self.valid_to}"


class FollowerChange(models.Model):
    """One entry of an account's change feed; positions have no gap.

    An erased or suppressed person leaves only a tombstone: `username` is empty.
    """

    pk = models.CompositePrimaryKey("account_id", "position")
    account_id = models.BigIntegerField()
    position = models.BigIntegerField()
    key = models.BigIntegerField()
    at = models.DateTimeField()
    previous_key = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=10, choices=ChangeKind)
    username = models.CharField(max_length=120, blank=True)
    previous_username = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["account_id", "key", "position"], name="followerchange_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.position} of account {self.account_id}"
