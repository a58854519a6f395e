"""Signal receivers: link at sign-in, erase after a withdrawal, subscribe to webhooks."""

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
from accounts.instagram.outcome import show_outcome
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

#: The key in allauth's sign-in state of the page of the newly linked account.
LANDING: Final = "landing"


@receiver(user_signed_up)
def link_on_sign_up(
    sender: Any, request: HttpRequest, user: User, sociallogin: SocialLogin = None, **kwargs: Any
) -> None:
    if sociallogin is not None:
        _link_and_show(request, user, sociallogin, signing_up=True)


@receiver(user_logged_in)
def link_on_sign_in(
    sender: Any,
    request: HttpRequest,
    user: User,
    response: HttpResponse,
    sociallogin: SocialLogin = None,
    **kwargs: Any,
) -> None:
    """Sent after every step of the sign-in, also the second factor; not before."""
    if sociallogin is None:
        return
    _link_and_show(request, user, sociallogin, signing_up=False)
    # After linking, show that account, unless the sign-in has another destination.
    landing = sociallogin.state.get(LANDING)
    if landing and not sociallogin.get_redirect_url(request):
        response["Location"] = landing


@receiver(consent_withdrawn)
def erase_scope_data(
    sender: Any,
    account: LinkedAccount,
    scope: Scope,
    keep_data: bool,
    channel: str,
    **kwargs: Any,
) -> None:
    """Erase the scope's data unless the member keeps it; requested in the same transaction."""
    if not keep_data:
        erasure.request_scope_erasure(account=account, scope=scope, channel=channel)


@receiver([account_linked, account_reconnected])
def enqueue_subscription_after_linking(sender: Any, account: LinkedAccount, **kwargs: Any) -> None:
    """Consents follow the link in the same transaction; the task looks at what was committed."""
    _enqueue_subscription(account)


@receiver([consent_granted, consent_withdrawn])
def enqueue_subscription_by_consent(
    sender: Any, account: LinkedAccount, scope: Scope, **kwargs: Any
) -> None:
    if scope is Scope.FOLLOWERS:
        _enqueue_subscription(account)


def _enqueue_subscription(account: LinkedAccount) -> None:
    if settings.INSTAGRAM_WEBHOOK_VERIFY_TOKEN and account.is_proven and not account.unlinked_at:
        enqueue("accounts.tasks.subscribe", account.pk)


def _link_and_show(
    request: HttpRequest, user: User, login: SocialLogin, *, signing_up: bool
) -> None:
    """Show a failure to link to the member; the sign-in itself succeeds."""
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
        show_outcome(request, linked)
        login.state[LANDING] = reverse("account", args=[linked.account.pk])


#: Schedules of earlier versions in django-q2; now in `accounts.registry.jobs`.
FORMER: Final = (
    "accounts.refresh_tokens",
    "accounts.subscribe_accounts",
    "accounts.clear_expired_program_tokens",
    "accounts.privacy_tick",
    "accounts.privacy_nightly",
    "followersync.tick",
)


def ensure_wake(**kwargs: Any) -> None:
    """Restore our one schedule of django-q2's after each migration."""
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
        # django_q is not migrated yet; its own migration calls this again.
        return
