"""Evidence texts: what a look found, what proved a loss, what an unconfirmed person waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from followersync import store
from followersync.domain.outlook import Waits
from followersync.domain.values import Proof

if TYPE_CHECKING:
    from datetime import datetime

    from followersync.models import FollowerSnapshot
    from followersync.selectors.loss_evidence import LossEvidence
    from followersync.selectors.unconfirmed import Unconfirmed


def in_words(snapshot: FollowerSnapshot) -> list[str]:
    """Sentences on what was read, who was missing, and what that proves."""
    evidence = snapshot.evidence
    if not evidence:
        return [_("Only the number of followers was read.")]
    sentences = [_read(evidence.get("pages") or 0, evidence.get("people") or 0)]
    spoiled = sum((evidence.get("spoiled") or {}).values())
    if spoiled:
        sentences.append(
            ngettext(
                "%(count)d page was out of order or repeated itself, and proves nothing.",
                "%(count)d pages were out of order or repeated themselves, and prove nothing.",
                spoiled,
            )
            % {"count": spoiled}
        )
    missed = evidence.get("odd") or 0
    if missed:
        sentences.append(
            ngettext(
                "This look missed %(count)d person; we are checking.",
                "This look missed %(count)d people; we are checking.",
                missed,
            )
            % {"count": missed}
        )
    if snapshot.unconfirmed:
        sentences.append(
            ngettext(
                "%(count)d person was not in the list; we look again before we believe it.",
                "%(count)d people were not in the list; we look again before we believe it.",
                snapshot.unconfirmed,
            )
            % {"count": snapshot.unconfirmed}
        )
    if snapshot.lost:
        sentences.append(
            ngettext(
                "%(count)d person is proven to be no longer in the list.",
                "%(count)d people are proven to be no longer in the list.",
                snapshot.lost,
            )
            % {"count": snapshot.lost}
        )
    return sentences


def loss_in_words(evidence: LossEvidence) -> list[str]:
    """Which looks missed a person, who stood beside them, and what else proved the loss."""
    sentences = []
    if evidence.looks:
        sentences.append(
            ngettext(
                "%(count)d look missed them: %(times)s.",
                "%(count)d looks, at least six hours apart, missed them: %(times)s.",
                len(evidence.looks),
            )
            % {"count": len(evidence.looks), "times": _times(evidence.looks)}
        )
    if evidence.above and evidence.below:
        sentences.append(
            _("The last one showed @%(above)s and @%(below)s, who stood on either side of them.")
            % {"above": evidence.above, "below": evidence.below}
        )
    sentences.append(str(PROOFS[evidence.proof]))
    return sentences


PROOFS = {
    Proof.COUNTED: gettext_lazy("Instagram's own count had come down as well."),
    Proof.WAITED: gettext_lazy(
        "Instagram's own count did not say so, so we waited for several days and looks."
    ),
    Proof.COUNTED_AT_END: gettext_lazy(
        "They stood where nobody is on one side, so we waited for days; Instagram's count agreed."
    ),
    Proof.WAITED_LONG: gettext_lazy(
        "There were no neighbours to compare with, so we waited for more than a week."
    ),
    Proof.EXPORT: gettext_lazy("The last of these looks was your export."),
    Proof.FOLLOWED_ANEW: gettext_lazy(
        "A later export says that they followed you again after that, so they had left before."
    ),
}


def doubt_in_words(person: Unconfirmed) -> str:
    """One sentence on what the verdict about an unconfirmed person waits for, until when."""
    at = person.outlook.at
    when = date_format(timezone.localtime(store.moment(at)), "SHORT_DATETIME_FORMAT") if at else ""
    return str(WAITS[person.outlook.waits]) % {"when": when}


WAITS = {
    Waits.SECOND_LOOK: gettext_lazy("The next look after %(when)s decides."),
    Waits.COUNT: gettext_lazy(
        "Instagram still counts them, as far as we can tell: we look on until %(when)s, unless "
        "its count comes down before."
    ),
    Waits.AT_END: gettext_lazy(
        "Nobody is listed on one side of them: we look on until %(when)s at least."
    ),
    Waits.NO_WITNESS: gettext_lazy(
        "Nobody is listed beside them who could be compared: we look on until %(when)s at least."
    ),
    Waits.MIXED: gettext_lazy(
        "The list lately stood in another order: we look on until %(when)s at least."
    ),
    Waits.EXPORT: gettext_lazy("Your next whole export, made after %(when)s, can decide."),
    Waits.BEYOND: gettext_lazy(
        "They may stand below the last person whom Instagram shows: we cannot tell."
    ),
}


def _times(looks: list[datetime]) -> str:
    """The first three and the last of many."""
    shown = [date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") for at in looks]
    if len(shown) > 4:
        shown = [*shown[:3], "…", shown[-1]]
    return ", ".join(shown)


def _read(pages: int, people: int) -> str:
    return _("%(pages)s read, with %(people)s on them.") % {
        "pages": ngettext("%(n)d page", "%(n)d pages", pages) % {"n": pages},
        "people": ngettext("%(n)d person", "%(n)d people", people) % {"n": people},
    }
