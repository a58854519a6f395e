"""The datasets of an export, and its README."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import clock, registry
from accounts.models import (
    ConsentEvent,
    ConsentSubject,
    ConsentText,
    DataExport,
    DeletionRequest,
    LinkedAccount,
    StaffView,
    User,
)

Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Dataset:
    """`name` is the path inside the ZIP, without an extension."""

    name: str
    rows: Callable[[], Rows]


def datasets(owner: User) -> Iterator[Dataset]:
    """The member's own datasets, then those of each linked account."""
    for name, own in _OWN.items():
        yield Dataset(f"member/{name}", partial(own, owner))
    for name, registered in registry.owner_exporters().items():
        yield Dataset(f"member/{name}", partial(registered, owner.pk))
    for account in LinkedAccount.objects.filter(owner=owner).order_by("pk"):
        folder = f"accounts/{account.pk}-{_safe(account.username)}"
        yield Dataset(f"{folder}/account", partial(_account, account))
        yield Dataset(f"{folder}/consents", partial(_consents, account))
        for name, exporter in registry.exporters().items():
            yield Dataset(f"{folder}/{name}", partial(exporter, account))


def readme(export: DataExport) -> str:
    """Describes the files and what was left out, in the member's language."""
    with translation.override(export.owner.language):
        return _(
            "Your copy of everything that Threadsite ({site}) holds about you.\n"
            "Made on {date} (UTC).\n\n"
            "Every file comes twice: as JSON, for programs, and as CSV, for a spreadsheet.\n"
            "Times are UTC in ISO 8601. Ids of Instagram are texts: they are too long for\n"
            "spreadsheets to reckon with.\n\n"
            "member/      you: profile, addresses, ways to sign in, sessions, programs, copies,\n"
            "             deletions under way, and when staff looked at what\n"
            "accounts/    one folder for each Instagram account that you linked: the link itself,\n"
            "             every consent with the text that you agreed to, followers,\n"
            "             past follows, changes, snapshots, syncs, imports, the folder that is\n"
            "             watched, daily totals and who follows by age, country and city\n\n"
            "A CSV cell that would begin with a formula's sign begins with an apostrophe.\n"
            "Left out: secrets that protect you (password hash, tokens, second-factor secrets),\n"
            "and what people who follow you have asked us to keep to themselves.\n"
            "The people in your lists are third parties: treat their names accordingly.\n"
            "Your rights, and how to have all of it erased: {site}/privacy/\n"
        ).format(site=settings.PUBLIC_URL, date=clock.now().strftime("%Y-%m-%d %H:%M"))


def _profile(owner: User) -> Rows:
    fields = ("username", "email", "first_name", "last_name", "language", "time_zone")
    times = ("date_joined", "last_login")
    yield {"id": owner.pk} | {name: getattr(owner, name) for name in (*fields, *times)}


def _addresses(owner: User) -> Rows:
    yield from EmailAddress.objects.filter(user=owner).values("email", "verified", "primary")


def _sign_ins(owner: User) -> Rows:
    yield from SocialAccount.objects.filter(user=owner).values(
        "provider", "uid", "last_login", "date_joined", "extra_data"
    )


def _second_factors(owner: User) -> Rows:
    yield from Authenticator.objects.filter(user=owner).values("type", "created_at", "last_used_at")


def _sessions(owner: User) -> Rows:
    yield from UserSession.objects.filter(user=owner).values(
        "created_at", "last_seen_at", "ip", "user_agent"
    )


def _programs(owner: User) -> Rows:
    yield from Token.objects.filter(user=owner).values(
        "client__name", "type", "scopes", "created_at", "expires_at"
    )


def _deletions(owner: User) -> Rows:
    """Waiting and running ones; a completed one names nobody, so it cannot be found."""
    for row in DeletionRequest.objects.filter(owner_id=owner.pk).order_by("pk"):
        names = ("code", "account_id", "everything", "scope", "channel", "state")
        times = ("requested_at", "not_before")
        yield {name: getattr(row, name) for name in (*names, *times)}


def _copies(owner: User) -> Rows:
    for row in DataExport.objects.filter(owner=owner).order_by("pk"):
        names = ("created_at", "state", "finished_at", "expires_at", "size")
        yield {name: getattr(row, name) for name in names}


def _looks_by_staff(owner: User) -> Rows:
    """When staff viewed which record; without their names, for their privacy."""
    for look in StaffView.objects.filter(owner_id=owner.pk).order_by("pk").iterator():
        yield {"at": look.at, "what": look.what, "account": look.account_id}


def _account(account: LinkedAccount) -> Rows:
    fields = ("id", "kind", "instagram_id", "app_scoped_id", "username")
    times = ("linked_at", "paused_at", "needs_reconnect_since", "unlinked_at", "restorable_until")
    row = {name: getattr(account, name) for name in (*fields, *times)}
    yield row | {"state": account.state, "granted_permissions": account.granted_permissions}


def _consents(account: LinkedAccount) -> Rows:
    texts = dict(ConsentText.objects.values_list("hash", "text"))
    subjects = ConsentSubject.objects.filter(account=account).values("subject")
    for event in ConsentEvent.objects.filter(subject__in=subjects).order_by("sequence"):
        yield {
            "subject": str(event.subject),
            "sequence": event.sequence,
            "at": event.at,
            "scope": event.scope,
            "action": event.action,
            "channel": event.channel,
            "text_version": event.text_version,
            "text_hash": event.text_hash,
            "language": event.language,
            "keep_data": event.keep_data,
            "text": texts.get(event.text_hash, ""),
        }


def _safe(username: str) -> str:
    """A username as part of a path: Instagram's alphabet, without path separators."""
    kept = "".join(c for c in username if c.isalnum() or c in "._-").strip(".")
    return kept or "account"


_OWN: dict[str, Callable[[User], Rows]] = {
    "profile": _profile,
    "addresses": _addresses,
    "sign_ins": _sign_ins,
    "second_factors": _second_factors,
    "sessions": _sessions,
    "programs": _programs,
    "deletions": _deletions,
    "copies": _copies,
    "looks_by_staff": _looks_by_staff,
}
