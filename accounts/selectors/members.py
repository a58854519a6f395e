"""Members: look-up, access to the admin, recovery contacts."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User
from accounts.selectors.links import MAX_ID


def member_by_reference(reference: str) -> User:
    """By username, or by id where no member has that username. Raises NotFound."""
    member = User.objects.filter(username__iexact=reference).first()
    if member is None and reference.isascii() and reference.isdigit() and int(reference) <= MAX_ID:
        member = User.objects.filter(pk=int(reference)).first()
    if member is None:
        raise NotFound("no_such_member", _("There is no member with this username or number."))
    return member


def may_use_admin(user: User) -> bool:
    """Staff, with a second factor set up if the operator requires one.

    A member who has one was asked for it: every sign-in goes through allauth.
    """
    if not (user.is_active and user.is_staff):
        return False
    return not settings.STAFF_MFA_REQUIRED or bool(
        Authenticator.objects.filter(
            user_id=user.pk, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        ).exists()
    )


def has_recovery_contact(user: User) -> bool:
    """A verified address or a passkey: a sign-in that does not need Instagram."""
    return bool(
        EmailAddress.objects.filter(user_id=user.pk, verified=True).exists()
        or Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.WEBAUTHN).exists()
    )


def needs_recovery_contact(user: User) -> bool:
    """Whether to show the reminder. Not while the member has hidden it."""
    hidden = user.email_reminder_hidden_until
    if hidden is not None and hidden > clock.now():
        return False
    return not has_recovery_contact(user)
