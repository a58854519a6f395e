"""Import texts: what the archive is, what changed, and who is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from followersync.domain.archive_completeness import Completeness, Reason
from followersync.domain.archive_losses import Flaw, Verdict
from followersync.models import ArchiveImport, FollowerSnapshot, SyncRun
from followersync.services.imports.ownership import QUESTIONS
from followersync.sources.archive.errors import Problem
from followersync.sources.archive.wording import words
from followersync.sources.base import EDGE, list_sources

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KINDS: dict[Completeness, StrOrPromise] = {
    Completeness.WHOLE: gettext_lazy("This looks like your whole list."),
    Completeness.RANGED: gettext_lazy(
        "This export was limited to a range of dates: older followers are missing from it. "
        "For the whole list, export again with the date range “All time”."
    ),
    Completeness.PARTIAL: gettext_lazy(
        "This export holds only a part of your list. For the whole list, export again with the "
        "date range “All time”, and hand in every file of it."
    ),
    Completeness.DOUBTFUL: gettext_lazy("We cannot tell whether this is your whole list."),
}
REASONS: dict[Reason, StrOrPromise] = {
    Reason.EMPTY: gettext_lazy("The export lists nobody."),
    Reason.PART_MISSING: gettext_lazy("One of its numbered files is missing."),
    Reason.FOLLOWING_OLDER: gettext_lazy(
        "You have followed others for far longer than anybody in this export follows you."
    ),
    Reason.STORED_OLDER: gettext_lazy(
        "Followers whom we know to be older than the oldest in this export are missing from it."
    ),
    Reason.COUNT_SHORT: gettext_lazy("Instagram counts many more followers than it lists."),
    Reason.COUNT_AGREES: gettext_lazy("It agrees with the number that Instagram shows."),
    Reason.FOLLOWING_AGREES: gettext_lazy(
        "It reaches back about as far as the list of those you follow."
    ),
    Reason.STORED_AGREES: gettext_lazy("It reaches back to your oldest known follower."),
    Reason.NOTHING_TO_COMPARE: gettext_lazy("There is nothing yet to compare it with."),
}

FLAWS: dict[Flaw, StrOrPromise] = {
    Flaw.OLDER: gettext_lazy(
        "It was made before an export that you handed in earlier, or does not say when, so it "
        "cannot tell who has left since."
    ),
    Flaw.REPEATED: gettext_lazy(
        "It holds exactly what an earlier export held. The same content counts only once."
    ),
    Flaw.PART_FEWER: gettext_lazy(
        "It has fewer numbered files than your last export and far fewer people: a file seems to "
        "be missing."
    ),
    Flaw.PART_TWICE: gettext_lazy(
        "Many names stand in it twice: one of its files seems to be a copy, or of another export."
    ),
    Flaw.PART_ORDER: gettext_lazy(
        "The dates in its numbered files do not follow one another: the files seem to be "
        "renumbered, or to be of several exports."
    ),
    Flaw.STRANGERS: gettext_lazy(
        "It lists many people with old dates whom your earlier exports did not list: a file of "
        "another export seems to be in it. They were not added."
    ),
    Flaw.REDATED: gettext_lazy(
        "Many people have other dates in it than before, so its dates prove nothing."
    ),
    Flaw.BLOCK: gettext_lazy(
        "People who followed you one after the other are missing together, as if a piece of the "
        "list were missing."
    ),
    Flaw.SIZE: gettext_lazy("It lists far fewer of your followers than before."),
    Flaw.UNNAMED: gettext_lazy(
        "It has rows without a name or a date, which may be people who are missing from it."
    ),
}


def result_in_words(run: SyncRun) -> list[str]:
    """Sentences for the member about a closed run of mode import; empty while it is open."""
    job = ArchiveImport.objects.filter(run_id=run.pk).first()
    if job is None or run.is_open:
        return []
    if run.state != SyncRun.State.SUCCEEDED:
        return [_failure(run, job), _("Nothing in your list was changed.")]
    sentences = [
        ngettext(
            "%(count)s person was read.", "%(count)s people were read.", job.people
        )
        % {"count": job.people}
    ]  # fmt: skip
    if job.nameless:
        left_out = ngettext(
            "%(count)s row names nobody and was left out.",
            "%(count)s rows name nobody and were left out.",
            job.nameless,
        )
        sentences.append(left_out % {"count": job.nameless})
    if job.exported_on is not None:
        day = date_format(job.exported_on)
        sentences.append(_("The export was made on %(day)s.") % {"day": day})
    sentences += [str(REASONS[Reason(each)]) for each in job.reasons if each in set(Reason)]
    sentences += [str(FLAWS[Flaw(each)]) for each in job.reasons if each in set(Flaw)]
    sentences.append(str(KINDS[Completeness(job.kind)]))
    sentences += _changes(run, job)
    return sentences + missing_in_words(run, job)


def _failure(run: SyncRun, job: ArchiveImport) -> str:
    if run.error_code in set(Problem):
        return words(Problem(run.error_code), job.problem_file)
    if run.error_code in QUESTIONS:
        return str(QUESTIONS[run.error_code])
    if run.state == SyncRun.State.CANCELLED:
        return _("The import was stopped, because the account may not be changed at present.")
    return _("The import broke off by a fault of ours. Try it once more.")


def _changes(run: SyncRun, job: ArchiveImport) -> list[str]:
    counted = (
        (run.gained, ngettext("%(n)s new follower.", "%(n)s new followers.", run.gained)),
        (
            run.found,
            ngettext(
                "%(n)s person was in your list before and is known now.",
                "%(n)s people were in your list before and are known now.",
                run.found,
            ),
        ),
        (
            run.lost,
            ngettext(
                "%(n)s person is no longer in your list.",
                "%(n)s people are no longer in your list.",
                run.lost,
            ),
        ),
        (
            run.returned,
            ngettext(
                "%(n)s person is in your list again.",
                "%(n)s people are in your list again.",
                run.returned,
            ),
        ),
        (
            run.renamed,
            ngettext(
                "%(n)s person has changed their name.",
                "%(n)s people have changed their names.",
                run.renamed,
            ),
        ),
        (
            job.redated,
            ngettext(
                "Of %(n)s person it is known now since when they follow.",
                "Of %(n)s people it is known now since when they follow.",
                job.redated,
            ),
        ),
    )
    found = [text % {"n": number} for number, text in counted if number]
    return found or [_("Nothing has changed.")]


def missing_in_words(run: SyncRun, job: ArchiveImport) -> list[str]:
    """Who is missing from the export but stays in the list, why, and what decides."""
    found = _evidence(run, job)
    missing: dict[str, int] = found.get("missing", {})
    sentences = _lost_in_words(run.lost, found.get("came_back", 0))
    total = sum(missing.values())
    if not total:
        return sentences
    sentences.append(
        ngettext(
            "%(n)s person of your list is not in this export. They stay in your list, shown with "
            "the day since which they are not seen.",
            "%(n)s people of your list are not in this export. They stay in your list, shown with "
            "the day since which they are not seen.",
            total,
        )
        % {"n": total}
    )
    sentences += [
        text % {"n": missing[act]} for act, text in _reasons(missing).items() if act in missing
    ]
    if EDGE in list_sources(job.account):
        sentences.append(_("Our own looks at Instagram's list decide about them, too."))
    return sentences


def _lost_in_words(lost: int, came_back: int) -> list[str]:
    """What proves the losses, and how many of them have come back."""
    if not lost:
        return [_("Nobody was taken for gone.")]
    sentences = []
    if lost > came_back:
        sentences.append(
            _("Who left was missing from two looks at your list, at least six hours apart.")
        )
    if came_back:
        sentences.append(
            ngettext(
                "%(n)s person was missing from an earlier look and follows you since later.",
                "%(n)s people were missing from an earlier look and follow you since later.",
                came_back,
            )
            % {"n": came_back}
        )
    return sentences


def _evidence(run: SyncRun, job: ArchiveImport) -> dict[str, Any]:
    """What the run's snapshot states about the archive."""
    if run.finished_at is None:
        return {}
    snapshots = FollowerSnapshot.objects.filter(
        account_id=job.account_id, at=run.finished_at, run_id=run.pk
    )
    for evidence in snapshots.values_list("evidence", flat=True):
        found: dict[str, Any] = evidence.get("archive", {})
        return found
    return {}


def _reasons(missing: dict[str, int]) -> dict[str, str]:
    """A sentence for each verdict, with the number of people who were given it."""

    def counted(act: Verdict) -> int:
        return missing.get(act, 0)

    return {
        Verdict.MISSED: ngettext(
            "About %(n)s of them your next whole export decides, made at least six hours after "
            "this one: if they are missing again, they are gone.",
            "About %(n)s of them your next whole export decides, made at least six hours after "
            "this one: whoever is missing again is gone.",
            counted(Verdict.MISSED),
        ),
        Verdict.SHOWN: ngettext(
            "About %(n)s of them this export proves nothing; two whole ones that agree decide.",
            "About %(n)s of them this export proves nothing; two whole ones that agree decide.",
            counted(Verdict.SHOWN),
        ),
        Verdict.DOUBTFUL: ngettext(
            "%(n)s of them may be in it under another name.",
            "%(n)s of them may be in it under other names.",
            counted(Verdict.DOUBTFUL),
        ),
        Verdict.BLOCK: ngettext(
            "%(n)s of them is missing together with their neighbours in your list, which no "
            "export can prove; they are shown as not seen until a look shows them again.",
            "%(n)s of them are missing together with their neighbours in your list, which no "
            "export can prove; they are shown as not seen until a look shows them again.",
            counted(Verdict.BLOCK),
        ),
        Verdict.WAITING: ngettext(
            "%(n)s of them was missed less than six hours before; that counts as the same look.",
            "%(n)s of them were missed less than six hours before; that counts as the same look.",
            counted(Verdict.WAITING),
        ),
    }
