"""Context of an import: what earlier archives and the edge showed before this archive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from followersync.domain.archive_completeness import Completeness
from followersync.models import Absence, ArchiveImport, Follower, FollowerSnapshot, Mode, SyncRun
from followersync.sources.base import EDGE, list_sources

if TYPE_CHECKING:
    from followersync.models import SyncSettings

EARLIEST_ZONE = timedelta(hours=14)
NOON = time(12)


@dataclass(frozen=True, slots=True)
class ImportContext:
    """What an archive is compared with. Times in whole Unix seconds.

    `newer`: it was certainly made after every earlier archive. `looked`: the earliest moment at
    which the last of those can have been made. `until`: the latest at which this one can have.
    `earliest`, `latest`: between these it is taken to have been made; `earliest` None: unknown.
    `repeated`: the same content came before. `edge_at`: when the edge last looked at anything;
    `edge_looked`: when the edge last looked at a list that is whole, None without an edge;
    `edge_older`: that was before this archive's newest follow. `covered`: spans of follow seconds
    in which newer archives showed everybody.
    """

    newer: bool
    looked: int | None
    until: int
    edge_looked: int | None
    edge_older: bool
    covered: tuple[tuple[int, int], ...]
    earliest: int | None
    latest: int
    repeated: bool
    edge_at: int | None
    last_people: int | None
    last_parts: int | None
    again: bool
    kind: str
    reasons: tuple[str, ...]
    head_after: int | None
    unconfirmed: bool

    def same(self, settings: SyncSettings) -> bool:
        """Whether the archive repeats the last one, with nothing changed and nobody unconfirmed."""
        return (
            self.newer and self.again and self.head_after == settings.head and not self.unconfirmed
        )


def import_context(job: ArchiveImport, settings: SyncSettings, now: datetime) -> ImportContext:
    """The context of `job`, whose dates are already stored."""
    before = list(
        ArchiveImport.objects.filter(
            account_id=job.account_id, run__state=SyncRun.State.SUCCEEDED
        ).exclude(pk=job.pk)
    )
    before.sort(key=lambda each: (_until(each), each.pk))
    last = before[-1] if before else None
    alike = [each for each in before if each.fingerprint and each.fingerprint == job.fingerprint]
    again = last is not None and last in alike
    newer_ones = [each for each in before if not _is_newer(job, each)]
    edge = _edge_looked(job, settings)
    edge_at = _edge_at(job)
    earliest, latest = _possible_times(job, last, int(now.timestamp()), edge=edge_at is not None)
    whole = last is not None and last.kind in (Completeness.WHOLE, Completeness.DOUBTFUL)
    return ImportContext(
        # Content that was seen before other content is older than it, whatever the name says.
        newer=not newer_ones and (again or not alike),
        looked=_earliest(last) if last else None,
        until=_until(job),
        edge_looked=edge,
        edge_older=edge is not None and edge < (_seconds(job.spoke_from) or 0),
        covered=tuple((low, high) for each in newer_ones or alike for low, high in each.ranges),
        earliest=earliest,
        latest=latest,
        repeated=bool(alike),
        edge_at=edge_at,
        last_people=last.people if last and whole else None,
        last_parts=len(last.ranges) if last and whole else None,
        again=again,
        kind=last.kind if last else "",
        reasons=tuple(last.reasons) if last else (),
        head_after=last.head_after if last else None,
        unconfirmed=Absence.objects.filter(account_id=job.account_id).exists(),
    )


def _possible_times(
    job: ArchiveImport, last: ArchiveImport | None, now: int, *, edge: bool
) -> tuple[int | None, int]:
    """Between which moments the archive is taken to have been made.

    Days of two archives are days of one zone: each counts from its noon, and an archive of the same
    day as the last from its newest follow. The edge's looks have exact times: for them only what is
    certain in every zone counts. Without a day, the newest follow is used.
    """
    newest = _seconds(job.spoke_from) if job.spoke_from else None
    if edge:
        known = job.spoke_from is not None or job.exported_on is not None
        return (min(now, _earliest(job)) if known else None), min(now, _until(job))
    if job.exported_on is None:
        return newest, min(now, newest if newest is not None else now)
    noon = int(datetime.combine(job.exported_on, NOON, UTC).timestamp())
    made = min(now, max(noon, newest or 0))
    if last is not None and (last.exported_on or last.created_at.date()) >= job.exported_on:
        return newest, made
    return made, made


def _is_newer(job: ArchiveImport, other: ArchiveImport) -> bool:
    """Whether `job` was certainly made after `other`; in doubt not, which changes less."""
    if job.spoke_from is None or other.spoke_from is None:
        # Without a single date only the export days are known.
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


def _edge_at(job: ArchiveImport) -> int | None:
    """When the edge last looked at any page of the list."""
    looked = FollowerSnapshot.objects.filter(
        account_id=job.account_id, mode__in=(Mode.HEAD, Mode.FULL)
    ).order_by("-at")
    at = looked.values_list("at", flat=True).first()
    return int(at.timestamp()) if at else None


def _seconds(moment: object) -> int:
    timestamp = getattr(moment, "timestamp", None)
    return int(timestamp()) if timestamp is not None else 0


def _earliest(job: ArchiveImport) -> int:
    """The earliest second at which the archive can have been made: newest follow or start of day.

    Somewhere on earth the export day begins fourteen hours before UTC's.
    """
    newest = _seconds(job.spoke_from)
    if job.exported_on is None:
        return newest
    midnight = datetime.combine(job.exported_on, datetime.min.time(), UTC)
    return max(newest, _seconds(midnight - EARLIEST_ZONE))


def _until(job: ArchiveImport) -> int:
    return _seconds(job.spoke_until)
