"""What is known already when an archive comes: earlier archives, and what the edge saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from followersync.models import Absence, ArchiveImport, Follower, FollowerSnapshot, Mode, SyncRun
from followersync.sources.base import EDGE, list_sources

if TYPE_CHECKING:
    from followersync.models import SyncSettings

EARLIEST_ZONE = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What an archive is measured by. Times in whole Unix seconds.

    `newer`: it certainly spoke after every archive before it. `looked`: the earliest moment at
    which the last of those can have spoken. `until`: the last one at which this one can have.
    `edge_looked`: when the edge last looked at a list that is whole, None without an edge;
    `edge_older`: it did so before this archive's newest follow. `covered`: spans of follow
    seconds in which newer archives showed everybody.
    """

    newer: bool
    looked: int | None
    until: int
    edge_looked: int | None
    edge_older: bool
    covered: tuple[tuple[int, int], ...]
    fingerprint: str
    kind: str
    reasons: tuple[str, ...]
    head_after: int | None
    unconfirmed: bool

    def same(self, fingerprint: str, settings: SyncSettings) -> bool:
        """Whether the archive repeats the last one, with nothing changed and nobody awaited."""
        return (
            self.newer
            and bool(self.fingerprint)
            and self.fingerprint == fingerprint
            and self.head_after == settings.head
            and not self.unconfirmed
        )


def knowledge_of(job: ArchiveImport, settings: SyncSettings) -> Knowledge:
    """Everything but the archive itself. `job` knows already when the archive spoke."""
    before = list(
        ArchiveImport.objects.filter(
            account_id=job.account_id, run__state=SyncRun.State.SUCCEEDED
        ).exclude(pk=job.pk)
    )
    before.sort(key=lambda each: (_until(each), each.pk))
    last = before[-1] if before else None
    newer_ones = [each for each in before if not _spoke_after(job, each)]
    edge = _edge_looked(job, settings)
    return Knowledge(
        newer=not newer_ones,
        looked=_earliest(last) if last else None,
        until=_until(job),
        edge_looked=edge,
        edge_older=edge is not None and edge < (_seconds(job.spoke_from) or 0),
        covered=tuple((low, high) for each in newer_ones for low, high in each.ranges),
        fingerprint=last.fingerprint if last else "",
        kind=last.kind if last else "",
        reasons=tuple(last.reasons) if last else (),
        head_after=last.head_after if last else None,
        unconfirmed=Absence.objects.filter(account_id=job.account_id).exists(),
    )


def _spoke_after(job: ArchiveImport, other: ArchiveImport) -> bool:
    """Whether `job` certainly spoke after `other`; in doubt not, and then it changes less."""
    if job.spoke_from is None or other.spoke_from is None:
        # Without a single date only the export days tell.
        days = job.exported_on, other.exported_on
        return days[0] is not None and days[1] is not None and days[0] > days[1]
    if job.exported_on is not None and other.exported_on is not None:
        if job.exported_on != other.exported_on:
            return job.exported_on > other.exported_on
        return job.spoke_from > other.spoke_from or job.fingerprint == other.fingerprint
    return _seconds(job.spoke_from) > _until(other) or job.fingerprint == other.fingerprint


def _edge_looked(job: ArchiveImport, settings: SyncSettings) -> int | None:
    if EDGE not in list_sources(job.account) or not settings.complete:
        return None
    if not Follower.objects.filter(account_id=job.account_id, key__gt=0).exists():
        return None
    looked = (
        FollowerSnapshot.objects.filter(account_id=job.account_id, mode__in=(Mode.HEAD, Mode.FULL))
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    return int(looked.timestamp()) if looked else None


def _seconds(moment: object) -> int:
    timestamp = getattr(moment, "timestamp", None)
    return int(timestamp()) if timestamp is not None else 0


def _earliest(job: ArchiveImport) -> int:
    """The first second at which the archive can have spoken: its newest follow, or its day's start.

    Somewhere on earth the export day begins fourteen hours before UTC's.
    """
    newest = _seconds(job.spoke_from)
    if job.exported_on is None:
        return newest
    midnight = datetime.combine(job.exported_on, datetime.min.time(), UTC)
    return max(newest, _seconds(midnight - EARLIEST_ZONE))


def _until(job: ArchiveImport) -> int:
    return _seconds(job.spoke_until)
