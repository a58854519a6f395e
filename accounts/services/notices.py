"""Mails about the member's account; none without a verified address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.models import LinkedAccount, User

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Title and text: what was done, and what to do if it was not the member.
NOTICES: Final[dict[str, tuple[StrOrPromise, StrOrPromise]]] = {
    "unlinked": (
        _("An Instagram account was unlinked"),
        _(
            "One of your Instagram accounts was unlinked here. Its token was destroyed at once, "
            "and nothing more is read from it. If this was not you, change your password and end "
            "the other sessions in your settings."
        ),
    ),
    "everything_deleted": (
        _("Everything of yours is being deleted"),
        _(
            "You asked us to delete everything: your linked accounts, their followers and history, "
            "and your membership. You are signed out everywhere, no access to Instagram is left, "
            "and the erasure has begun; this address goes with it, so this is our last message. "
            "It cannot be taken back. If this was not you, write to whoever runs this site."
        ),
    ),
    "export_requested": (
        _("A copy of your data was asked for"),
        _(
            "A copy of everything held about you is being made. Only you can fetch it, signed in, "
            "in your settings. If this was not you, change your password and end the other "
            "sessions in your settings."
        ),
    ),
    "token_issued": (
        _("A program got access to your account"),
        _(
            "A token was made with which a program can act for you, as far as its scopes go. If "
            "you do not know of it, take its access back in your settings."
        ),
    ),
    "proven_elsewhere": (
        _("An account that you added by archive was proven by somebody else"),
        _(
            "Another member has proven by Instagram that an account of a name that you added by "
            "archive is theirs. What you imported stays yours to see and is shown to nobody else. "
            "If the account is yours, link it by Instagram."
        ),
    ),
}


def reconnect_needed(account: LinkedAccount) -> bool:
    """With a link to the account. Returns whether there was an address to send it to."""
    url = settings.PUBLIC_URL + reverse("account", args=[account.pk])
    return send(account.owner, "reconnect_needed", {"account": account, "url": url})


def notify_member(user: User, notice: str) -> bool:
    """Mail a short notice of something done to the member's account."""
    return send(user, "notice", {"title": NOTICES[notice][0], "text": NOTICES[notice][1]})


def send(user: User, template: str, context: dict[str, Any]) -> bool:
    """Mail `accounts/email/<template>_{subject,message}.txt` in the member's language.

    Not by allauth's adapter, which needs a request: most of these are sent by the queue.
    """
    addresses = EmailAddress.objects.filter(user_id=user.pk, verified=True)
    address = addresses.order_by("-primary", "pk").first()
    if address is None:
        return False
    with translation.override(user.language):
        subject, message = (
            render_to_string(f"accounts/email/{template}_{part}.txt", {"user": user, **context})
            for part in ("subject", "message")
        )
    send_mail(" ".join(subject.split()), message, None, [address.email])
    return True
