"""Result of an import: the archive's date, its assessment, and the snapshot that is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

from accounts.scopes import Scope
from accounts.selectors import consent_in_force
from followersync.domain.archive_completeness import Assessment, Completeness, DateSpan
from followersync.domain.archive_losses import Look, Verdict
from followersync.models import ArchiveImport, FollowerSnapshot, Mode, SyncRun, SyncSettings
from followersync.services.imports.judgement import ArchiveFigures
from followersync.services.sync import lease as leases

if TYPE_CHECKING:
    from followersync.services.sync.lease import Lease
    from followersync.sources.archive import Archive

# An export day is in the member's zone: it ends at most twelve hours after UTC's.
LATEST_ZONE = timedelta(hours=12)
# Verdicts about people whom an archive does not list and who stay in the list.
MISSING = (Verdict.MISSED, Verdict.SHOWN, Verdict.DOUBTFUL, Verdict.BLOCK, Verdict.WAITING)


@dataclass(slots=True)
class ReadArchive:
    """The archive on the spool, and what was learnt while reading it."""

    archive: Archive
    spool: IO[bytes]
    rows: int = 0
    fingerprint: str = ""
    undated_hidden: int = 0
    nameless: list[int] = field(default_factory=list)

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """[oldest, newest] of each part with dates."""
        return [
            (part.oldest, part.newest)
            for part in self.archive.part_ranges.values()
            if part.oldest is not None and part.newest is not None
        ]

    @property
    def shown(self) -> ArchiveFigures:
        """The figures that the verdicts rest on."""
        archive = self.archive
        span, following = archive.span, archive.following
        return ArchiveFigures(
            DateSpan(span.oldest, span.newest, span.dated),
            None
            if following is None
            else DateSpan(following.oldest, following.newest, following.dated),
            tuple(self.ranges),
            self.rows,
            bool(archive.missing_parts),
            tuple(self.nameless),
            bool(archive.nameless_undated or self.undated_hidden),
            archive.approximate,
        )


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The outcome of an import. `verdicts`: how many people were given each; `unconfirmed`: how
    many there are, by any look; `at`: when."""

    assessment: Assessment
    verdicts: dict[str, int]
    unconfirmed: int
    at: datetime
    look: Look

    @property
    def counts(self) -> dict[str, int]:
        """The run's counters. People who left and came back count in both."""
        back = self.verdicts.get("came_back", 0)
        return {
            "gained": self.verdicts.get("gained", 0),
            "found": self.verdicts.get("found", 0),
            "lost": self.verdicts.get("lost", 0) + back,
            "returned": self.verdicts.get("returned", 0) + back,
            "renamed": self.verdicts.get("renamed", 0),
        }


def date(job: ArchiveImport, read: ReadArchive, now: datetime) -> None:
    """Store when the archive was made: between its newest follow and the end of its export day."""
    newest = read.archive.span.newest
    job.spoke_from = datetime.fromtimestamp(newest, UTC) if newest is not None else None
    job.spoke_until = now
    if job.exported_on is not None:
        midnight = datetime.combine(job.exported_on, datetime.min.time(), UTC)
        job.spoke_until = min(now, midnight + timedelta(days=1) + LATEST_ZONE)
    if job.spoke_from is not None and job.spoke_until < job.spoke_from:
        job.spoke_until = job.spoke_from
    job.ranges = read.ranges
    job.fingerprint = read.fingerprint


def close(
    lease: Lease, job: ArchiveImport, settings: SyncSettings, read: ReadArchive, found: ImportResult
) -> None:
    """Close the run with its snapshot; the schedule of edge syncs is not changed."""
    at, assessment = found.at, found.assessment
    settings.complete = settings.complete or assessment.kind is Completeness.WHOLE
    settings.baseline_at = settings.baseline_at or at
    settings.last_synced_at = max(at, settings.last_synced_at or at)
    settings.save()
    job.people = read.rows
    job.kind, job.reasons = (
        assessment.kind.value,
        [
            *(each.value for each in assessment.reasons),
            *(each.value for each in found.look.flaws),
        ],
    )
    job.head_after = settings.head
    job.nameless = read.archive.unnamed
    job.redated = found.verdicts.get("redated", 0)
    job.save()
    _snapshot(lease, job, settings, found)
    parts = len(read.archive.parts)
    leases.commit(
        lease,
        **found.counts,
        state=SyncRun.State.SUCCEEDED,
        pages=parts,
        progress={"seen": read.rows, "expected": read.rows, "page": parts},
        finished_at=at,
        worker=None,
        heartbeat_at=at,
    )


def _snapshot(
    lease: Lease, job: ArchiveImport, settings: SyncSettings, found: ImportResult
) -> None:
    keeps_count = consent_in_force(lease.account_id, Scope.PROFILE)
    FollowerSnapshot.objects.create(
        account_id=lease.account_id,
        run_id=lease.run_id,
        at=found.at,
        mode=Mode.IMPORT,
        position=settings.head,
        followers=settings.followers_count,
        reported=settings.reported if keeps_count else None,
        unconfirmed=found.unconfirmed,
        complete=settings.complete,
        digest=settings.digest,
        evidence=_evidence(job, found),
        **found.counts,
    )


def _evidence(job: ArchiveImport, found: ImportResult) -> dict[str, Any]:
    return {
        "pages": len(job.ranges),
        "people": job.people,
        "lost": found.counts["lost"],
        "unconfirmed": found.unconfirmed,
        "archive": {
            "kind": job.kind,
            "reasons": job.reasons,
            "exported_on": job.exported_on.isoformat() if job.exported_on else None,
            "made_at": found.look.latest,
            "weight": found.look.weight.value,
            "came_back": found.verdicts.get("came_back", 0),
            "missing": {act: found.verdicts[act] for act in MISSING if act in found.verdicts},
        },
    }
