"""A run's evidence in words, as members read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from followersync.models import FollowerSnapshot


def in_words(snapshot: FollowerSnapshot) -> list[str]:
    """Sentences that say what was read, who was missing, and what that proves."""
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


def _read(pages: int, people: int) -> str:
    return _("%(pages)s read, with %(people)s on them.") % {
        "pages": ngettext("%(n)d page", "%(n)d pages", pages) % {"n": pages},
        "people": ngettext("%(n)d person", "%(n)d people", people) % {"n": people},
    }
