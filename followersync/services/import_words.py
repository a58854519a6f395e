"""What came of an import, in words: what the archive is, why we think so, what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from followersync.models import ArchiveImport, SyncRun
from followersync.services.owners import QUESTIONS
from followersync.sources.archive.assess import Kind, Reason
from followersync.sources.archive.errors import Problem
from followersync.sources.archive.wording import words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KINDS: dict[Kind, StrOrPromise] = {
    Kind.WHOLE: gettext_lazy("This looks like your whole list."),
    Kind.RANGED: gettext_lazy(
        "This export was limited to a range of dates: older followers are missing from it. "
        "Nobody was taken for gone because of that. For the whole list, export again with the "
        "date range “All time”."
    ),
    Kind.PARTIAL: gettext_lazy(
        "This export holds only a part of your list. Nobody was taken for gone because of that. "
        "For the whole list, export again with the date range “All time”."
    ),
    Kind.DOUBTFUL: gettext_lazy(
        "We cannot tell whether this is your whole list, so nobody was taken for gone merely "
        "because the export ends before them."
    ),
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
    sentences += [str(REASONS[Reason(each)]) for each in job.reasons]
    sentences.append(str(KINDS[Kind(job.kind)]))
    sentences += _changes(run, job)
    return sentences


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
