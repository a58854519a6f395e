"""Headline of an account's page: one sentence on its state, and what comes next.

The first of the rules below that applies gives the headline; they are ordered by importance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import LinkedAccount
from followersync.selectors import Overview
from followersync.texts.formats import ago, moment, number


@dataclass(frozen=True)
class Headline:
    """`tone`: good, wait or bad, for the colour only; the words are sufficient."""

    tone: str
    sentence: str
    next: str = ""
    reconnect: bool = False


Rule = Callable[[LinkedAccount, Overview], Headline | None]


def headline_of(account: LinkedAccount, overview: Overview) -> Headline:
    """The headline: never an account's state alone, always with what comes next."""
    for rule in RULES:
        if headline := rule(account, overview):
            return headline
    return _same_or_counted_differently(overview)


def can_be_listed(account: LinkedAccount) -> bool:
    """Whether this site can list who follows the account without an export."""
    return account.is_proven and bool(settings.INSTAGRAM_FOLLOWERS_EDGE)


def _unlinked(account: LinkedAccount, overview: Overview) -> Headline | None:
    if account.unlinked_at is None:
        return None
    sentence = _("@%(name)s was unlinked %(when)s. Nothing is fetched any more.")
    return Headline(
        "bad",
        sentence % {"name": account.username, "when": ago(account.unlinked_at)},
        _kept_until(account),
    )


def _needs_reconnect(account: LinkedAccount, overview: Overview) -> Headline | None:
    if account.needs_reconnect_since is None or account.paused_at is not None:
        return None
    sentence = _("Instagram ended the connection to @%(name)s %(when)s.")
    return Headline(
        "bad",
        sentence % {"name": account.username, "when": ago(account.needs_reconnect_since)},
        _("%(as_of)s Nothing is lost: reconnect, and we go on where we stopped.")
        % {"as_of": _as_of(overview)},
        reconnect=True,
    )


def _paused(account: LinkedAccount, overview: Overview) -> Headline | None:
    if account.paused_at is None:
        return None
    return Headline(
        "wait",
        _("Paused %(when)s: nothing is fetched from Instagram.") % {"when": ago(account.paused_at)},
        _("%(as_of)s Go on whenever you like.") % {"as_of": _as_of(overview)},
    )


def _list_not_allowed(account: LinkedAccount, overview: Overview) -> Headline | None:
    """Only the count is read, or nothing; a stored list is old."""
    if overview.reads_list or not account.is_proven:
        return None
    if overview.failures and overview.shows_count:
        return _failed(account, overview)
    if not overview.shows_count:
        return Headline("wait", _("Nothing is read from Instagram."), _as_of(overview))
    if overview.reported is None:
        return Headline("wait", _("We have not read your follower count yet."), _again(overview))
    sentence = ngettext(
        "Instagram counts %(count)s follower.",
        "Instagram counts %(count)s followers.",
        overview.reported,
    )
    return Headline("wait", sentence % {"count": number(overview.reported)}, _again(overview))


def _nothing_yet(account: LinkedAccount, overview: Overview) -> Headline | None:
    if overview.baseline_at is not None:
        return None
    if account.is_proven and not can_be_listed(account):
        return _only_counted(overview)
    if not can_be_listed(account):
        return Headline(
            "wait",
            _("Nobody is listed here yet."),
            _("Instagram gives no app a personal account's followers. Import your export."),
        )
    return _first_reading(overview)


def _only_counted(overview: Overview) -> Headline:
    if not overview.shows_count:
        sentence = _("Nobody is listed here yet.")
    elif overview.reported is None:
        sentence = _("We have not read your follower count yet.")
    else:
        sentence = ngettext(
            "Instagram counts %(count)s follower; who it is, it tells no app.",
            "Instagram counts %(count)s followers; who they are, it tells no app.",
            overview.reported,
        ) % {"count": number(overview.reported)}
    return Headline("wait", sentence, _("Names come from your export: import it in the settings."))


def _first_reading(overview: Overview) -> Headline:
    run = overview.running
    if run is None and overview.failures:
        return Headline("bad", _("Your followers could not be read yet."), _again(overview))
    if run is None and not _again(overview):
        return Headline("wait", _("Your followers are not being read."))
    seen = (run.progress or {}).get("seen") if run else None
    if not seen:
        return Headline(
            "wait", _("Your followers are about to be read for the first time."), _again(overview)
        )
    sentence = _("Your followers are being read for the first time: %(seen)s so far.")
    return Headline(
        "wait", sentence % {"seen": number(seen)}, _("You may leave; this goes on by itself.")
    )


def _failed(account: LinkedAccount, overview: Overview) -> Headline | None:
    if not overview.failures or overview.running is not None:
        return None
    when = overview.last_run.finished_at if overview.last_run else None
    sentence = (
        _("The last look at Instagram failed %(when)s; nobody was lost by it.")
        % {"when": ago(when)}
        if when
        else _("The last look at Instagram failed; nobody was lost by it.")
    )
    return Headline("bad", sentence, f"{_as_of(overview)} {_again(overview)}")


def _unconfirmed(account: LinkedAccount, overview: Overview) -> Headline | None:
    if not overview.unconfirmed or overview.followers is None:
        return None
    sentence = ngettext(
        "Of your %(all)s followers here, %(count)s is not in Instagram's list just now.",
        "Of your %(all)s followers here, %(count)s are not in Instagram's list just now.",
        overview.unconfirmed,
    ) % {"all": number(overview.followers), "count": number(overview.unconfirmed)}
    next_ = _("That may be Instagram's mistake, so they still count here. %(again)s")
    return Headline("wait", sentence, next_ % {"again": _looking_again(overview)})


def _incomplete(account: LinkedAccount, overview: Overview) -> Headline | None:
    if overview.complete or overview.followers is None:
        return None
    if overview.reported is None:
        sentence = _("%(here)s followers are listed here; whether that is all is not known yet.")
    else:
        sentence = _(
            "%(here)s of the %(reported)s followers that Instagram counts are listed here."
        )
    values = {"here": number(overview.followers), "reported": number(overview.reported or 0)}
    return Headline("wait", sentence % values, _again(overview))


RULES: tuple[Rule, ...] = (
    _unlinked,
    _paused,
    _needs_reconnect,
    _list_not_allowed,
    _nothing_yet,
    _failed,
    _unconfirmed,
    _incomplete,
)


def _same_or_counted_differently(overview: Overview) -> Headline:
    here, reported = overview.followers or 0, overview.reported
    checked = ago(overview.last_synced_at) if overview.last_synced_at else ""
    if reported == here:
        sentence = ngettext(
            "Your %(count)s follower here is the same as on Instagram, checked %(when)s.",
            "Your %(count)s followers here are the same as on Instagram, checked %(when)s.",
            here,
        )
    else:
        sentence = ngettext(
            "Your %(count)s follower here is the same as in Instagram's list, checked %(when)s.",
            "Your %(count)s followers here are the same as in Instagram's list, checked %(when)s.",
            here,
        )
    return Headline("good", sentence % {"count": number(here), "when": checked}, _again(overview))


def _kept_until(account: LinkedAccount) -> str:
    if account.restorable_until is None:
        return _("What was stored of it is being erased.")
    kept = _("What was stored of it is kept until %(when)s, in case you link it again.")
    return kept % {"when": moment(account.restorable_until)}


def _as_of(overview: Overview) -> str:
    if overview.last_synced_at is None:
        return ""
    return _("What you see is as of %(when)s.") % {"when": moment(overview.last_synced_at)}


def _again(overview: Overview) -> str:
    due = overview.waiting_until or overview.next_sync_at
    if overview.running is not None:
        return _("We are looking at Instagram right now.")
    return _("The next look is at %(when)s.") % {"when": moment(due)} if due else ""


def _looking_again(overview: Overview) -> str:
    due = overview.waiting_until or overview.next_sync_at
    if overview.running is not None:
        return _("We are looking again right now.")
    return _("Looking again at %(when)s.") % {"when": moment(due)} if due else ""
