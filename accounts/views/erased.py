"""Names of the kinds of rows that an erasure counts, in the reader's language.

Receipts name them in English, so that they compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

KINDS: Final[dict[str, StrOrPromise]] = {
    "absences": _("notes on who was missing for a while"),
    "admin log": _("entries in the staff's log"),
    "call_budgets": _("counts of calls to Instagram"),
    "changes": _("entries of the history"),
    "consents": _("entries of the consent ledger"),
    "daily_totals": _("daily figures from Instagram"),
    "demographics": _("figures on age, country and city"),
    "export files": _("files with your copy"),
    "followers": _("followers"),
    "full_scans": _("readings of the whole list"),
    "imports": _("imports"),
    "insights_readings": _("notes on reading daily figures"),
    "kept files": _("files that waited to be imported"),
    "past_follows": _("times of following that have ended"),
    "queue rows, sessions and cache entries": _("waiting tasks, sessions and cached things"),
    "scan_pages": _("pages read of the list"),
    "sign-in by Instagram": _("sign-ins by Instagram"),
    "snapshots": _("counts at a moment"),
    "sync_runs": _("syncs"),
    "sync_settings": _("settings for syncing"),
    "sync_state": _("notes on where the syncing stood"),
    "transferred_items": _("lists that a data-transfer tool sent"),
    "watched_exports": _("notes on exports in your folder"),
    "watched_folders": _("watched folders"),
}


def in_words(erased: dict[str, int]) -> list[tuple[str, int]]:
    """(name, rows), most rows first. A table without a name here keeps its stored name."""
    most_first = sorted(erased.items(), key=lambda item: -item[1])
    return [(str(KINDS.get(kind, kind.replace("_", " "))), rows) for kind, rows in most_first]
