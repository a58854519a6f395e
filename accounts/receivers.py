"""What happens when allauth says that somebody came in, or we that somebody withdrew."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.signals import user_logged_in, user_signed_up
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.db import OperationalError, ProgrammingError, transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django_q.models import Schedule

from accounts.errors import ThreadsiteError
from accounts.instagram import received
from accounts.instagram.outcome import tell
from accounts.models import LinkedAccount, User
from accounts.queue import enqueue
from accounts.scopes import Scope
from accounts.services import erasure, linking
from accounts.services.periodic_jobs import WAKE, WAKE_TASK
from accounts.signals import (
    account_linked,
    account_reconnected,
    consent_granted,
    consent_withdrawn,
)

#: Where in allauth's state of a sign-in the page of the account stands that it linked.
LANDING: Final = "landing"


@receiver(user_signed_up)
def link_on_sign_up(
    sender: Any, request: HttpRequest, user: User, sociallogin: SocialLogin = None, **kwargs: Any
) -> None:
    if sociallogin is not None:
        _take_up(request, user, sociallogin, signing_up=True)


@receiver(user_logged_in)
def link_on_sign_in(
    sender: Any,
    request: HttpRequest,
    user: User,
    response: HttpResponse,
    sociallogin: SocialLogin = None,
    **kwargs: Any,
) -> None:
    """Sent after every step of the sign-in, a second factor too; not before."""
    if sociallogin is None:
        return
    _take_up(request, user, sociallogin, signing_up=False)
    # Who came to link an account sees that account, unless they were on their way elsewhere.
    landing = sociallogin.state.get(LANDING)
    if landing and not sociallogin.get_redirect_url(request):
        response["Location"] = landing


@receiver(consent_withdrawn)
def erase_what_it_paid_for(
    sender: Any,
    account: LinkedAccount,
    scope: Scope,
    keep_data: bool,
    channel: str,
    **kwargs: Any,
) -> None:
    """Unless the member grants keeping it; in the withdrawing transaction, by the queue."""
    if not keep_data:
        erasure.request_scope_erasure(account=account, scope=scope, channel=channel)


@receiver([account_linked, account_reconnected])
def ring_after_linking(sender: Any, account: LinkedAccount, **kwargs: Any) -> None:
    """Consents follow the link in the same transaction; the task looks at what was committed."""
    _see_to_webhooks(account)


@receiver([consent_granted, consent_withdrawn])
def ring_by_consent(sender: Any, account: LinkedAccount, scope: Scope, **kwargs: Any) -> None:
    if scope is Scope.FOLLOWERS:
        _see_to_webhooks(account)


def _see_to_webhooks(account: LinkedAccount) -> None:
    if settings.INSTAGRAM_WEBHOOK_VERIFY_TOKEN and account.is_proven and not account.unlinked_at:
        enqueue("accounts.tasks.subscribe", account.pk)


def _take_up(request: HttpRequest, user: User, login: SocialLogin, *, signing_up: bool) -> None:
    """A failure to link is told to the member; the sign-in itself stands."""
    came = received.take(login)
    if came is None:
        return
    try:
        if came.pending is None:
            linking.sign_in(
                owner=user,
                profile=came.profile,
                token=came.token,
                permissions=came.permissions,
                signing_up=signing_up,
            )
            return
        linked = linking.complete(
            owner=user,
            profile=came.profile,
            token=came.token,
            permissions=came.permissions,
            pending=came.pending,
        )
    except ThreadsiteError as error:
        messages.error(request, str(error.detail))
    else:
        tell(request, linked)
        login.state[LANDING] = reverse("account", args=[linked.account.pk])


#: What earlier versions scheduled by django-q2; it stands in `accounts.registry.jobs` now.
FORMER: Final = (
    "accounts.refresh_tokens",
    "accounts.subscribe_accounts",
    "accounts.clear_expired_program_tokens",
    "accounts.privacy_tick",
    "accounts.privacy_nightly",
    "followersync.tick",
)


def ensure_wake(**kwargs: Any) -> None:
    """The one schedule of django-q2's, after each migration; it is ours, so it is restored."""
    try:
        with transaction.atomic():
            Schedule.objects.filter(name__in=FORMER).delete()
            Schedule.objects.update_or_create(
                name=WAKE,
                defaults={
                    "func": WAKE_TASK,
                    "schedule_type": Schedule.MINUTES,
                    "minutes": 1,
                    "repeats": -1,
                },
            )
    except (OperationalError, ProgrammingError):
        # django_q is not migrated yet; its own migration brings us here again.
        return
