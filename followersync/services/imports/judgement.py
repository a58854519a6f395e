"""Judgement of an archive: gives its figures to the domain and applies the verdicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from followersync.domain.archive_completeness import (
    Assessment,
    Completeness,
    DateSpan,
    ListedExport,
    Reason,
    Stored,
    assess,
)
from followersync.domain.archive_losses import (
    BLOCK,
    Comparison,
    ExportFacts,
    Flaw,
    Look,
    Redating,
    block_length,
    redating,
    weigh,
)
from followersync.store import archive_compare, archive_verdicts

if TYPE_CHECKING:
    from followersync.services.imports.context import ImportContext

# With these it is unknown whether the archive is whole, whatever else supports it.
UNSURE = frozenset(Flaw) - {Flaw.OLDER, Flaw.REPEATED, Flaw.UNNAMED}


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The account's count by Instagram, since when its list exists, whether it is whole."""

    pk: int
    reported: int | None
    baseline_at: datetime | None
    complete: bool


@dataclass(frozen=True, slots=True)
class ArchiveJudgement:
    """What the archive is and is worth; the verdicts are in `delta`."""

    assessment: Assessment
    look: Look


@dataclass(frozen=True, slots=True)
class ArchiveFigures:
    """Figures of the archive: follow seconds of all people and of each part, rows, missing parts.

    `nameless`: the seconds of rows without a name; `unnamed`: some have no date either. `minute`:
    times are rounded down to it.
    """

    span: DateSpan
    following: DateSpan | None
    ranges: tuple[tuple[int, int], ...]
    rows: int
    part_missing: bool = False
    nameless: tuple[int, ...] = ()
    unnamed: bool = False
    minute: bool = False

    def listed(self, people: int) -> ListedExport:
        """The input of `assess`; `people`: distinct ones."""
        return ListedExport(people, self.span, self.following, self.part_missing)


def judge(account: AccountFacts, shown: ArchiveFigures, known: ImportContext) -> ArchiveJudgement:
    """Compare the staged rows with the list and give everybody who differs a verdict."""
    minute = shown.minute
    staged = archive_compare.compare(account.pk, shown.span.oldest)
    stored = Stored(staged.stored, staged.older, staged.oldest_listed)
    assessment = assess(shown.listed(staged.listed), stored, account.reported)
    facts = _facts(account, shown, known, staged, assessment)
    dated = archive_compare.count_redated(minute=minute)
    shared = staged.listed - staged.newcomers
    compared = Comparison(
        staged.stored, staged.listed, shared, redated=dated.redated, lump=dated.lump
    )
    mass = redating(compared)
    if known.newer and not known.repeated:
        compared = _mark(account, shown, known, facts, compared, mass)
    look = weigh(facts, compared)
    archive_verdicts.judge_missing(account.pk, look)
    archive_verdicts.judge_dates(
        account.pk, newer=known.newer, minute=minute, until=known.until, mass=mass
    )
    archive_verdicts.admit(
        account.pk,
        newer=known.newer,
        found=look.admits_found,
        known_until=known.looked,
        only_after=known.edge_looked,
        covered=known.covered,
    )
    return ArchiveJudgement(shown_assessment(assessment, facts, look), look)


def _facts(
    account: AccountFacts,
    shown: ArchiveFigures,
    known: ImportContext,
    staged: archive_compare.Staged,
    assessment: Assessment,
) -> ExportFacts:
    return ExportFacts(
        assessment=assessment,
        newer=known.newer,
        repeated=known.repeated,
        earliest=known.earliest,
        latest=known.latest,
        edge_at=known.edge_at,
        ranges=shown.ranges,
        repeats=shown.rows - staged.listed,
        unnamed=shown.unnamed or staged.undated_newcomers > 0,
        oldest_listed=staged.oldest_listed,
        last_people=known.last_people,
        last_parts=known.last_parts,
        last_reasons=frozenset(known.reasons),
        complete=account.complete,
    )


def _mark(
    account: AccountFacts,
    shown: ArchiveFigures,
    known: ImportContext,
    facts: ExportFacts,
    compared: Comparison,
    mass: Redating,
) -> Comparison:
    """Mark renamed, out-of-range and doubtful people and blocks; the figures of the rest."""
    minute = shown.minute
    if not minute and mass is Redating.NONE:
        archive_verdicts.match_renames(edge_older=known.edge_older, nameless=shown.nameless)
    if not facts.whole:
        archive_verdicts.mark_outside(shown.ranges, minute=minute)
    archive_verdicts.mark_doubtful(
        account.pk, nameless=shown.nameless, minute=minute, baseline_at=account.baseline_at
    )
    missing = archive_compare.count_missing(account.pk, known.looked)
    if missing.missing >= BLOCK:
        archive_verdicts.mark_blocks(account.pk, block_length(compared.stored, missing.missing))
        missing = archive_compare.count_missing(account.pk, known.looked)
    return replace(
        compared,
        missing=missing.missing,
        fresh=missing.fresh,
        blocked=missing.blocked,
        found=missing.found,
    )


def shown_assessment(assessment: Assessment, facts: ExportFacts, look: Look) -> Assessment:
    """The assessment to show: an implausible archive is not called whole, nor one of which only a
    part is certain."""
    against = tuple(each for each in assessment.reasons if each is Reason.COUNT_SHORT)
    if Flaw.PART_FEWER in look.flaws:
        return Assessment(Completeness.PARTIAL, against)
    if UNSURE & set(look.flaws):
        return Assessment(Completeness.DOUBTFUL, against)
    if facts.whole and assessment.kind is not Completeness.WHOLE:
        agrees = (Reason.STORED_AGREES,) if facts.oldest_listed else ()
        return Assessment(Completeness.DOUBTFUL, assessment.reasons + agrees)
    return assessment
