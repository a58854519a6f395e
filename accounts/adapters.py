"""allauth adapters: sign-up, sign-in, mails, linking by Instagram, second factors, OpenID."""

from __future__ import annotations

import string
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.core import context as request_context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import PrivateKey
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import get_random_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from oauthlib.oauth2.rfc6749.errors import InvalidScopeError  # type: ignore[import-untyped]

from accounts import crypto
from accounts.api_scopes import SCOPES
from accounts.consent_texts import language_of
from accounts.errors import ThreadsiteError
from accounts.instagram import reauthentication, received
from accounts.instagram.outcome import show_outcome
from accounts.instagram.received import Received
from accounts.models import LinkedAccount, User
from accounts.services import linking, oauth, programs


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.language = language_of(get_language() or "en")
        return super().save_user(request, user, form, commit)  # type: ignore[no-any-return]

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """Draw a random name: one made from the address would reveal whether it was taken."""
        if not user.username:
            user.username = f"member_{get_random_string(12, string.ascii_lowercase)}"

    def send_confirmation_mail(
        self, request: HttpRequest, emailconfirmation: Any, signup: bool
    ) -> None:
        """A registered address gets a mail that says so, without a confirmation link."""
        address = emailconfirmation.email_address
        owner = EmailAddress.objects.filter(email=address.email, verified=True).first()
        if owner is None:
            super().send_confirmation_mail(request, emailconfirmation, signup)
            return
        with translation.override(owner.user.language):
            self.send_account_already_exists_mail(owner.email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Every link in a mail starts with PUBLIC_URL, whatever host and port the request named."""
        ours = {name: _our_address(value) for name, value in context.items()}
        site = SimpleNamespace(name=_our_name(), domain=_our_name())
        super().send_mail(template_prefix, email, {**ours, "current_site": site})

    def format_email_subject(self, subject: str) -> str:
        return f"[{_our_name()}] {subject}"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Wrong passwords from one address must not lock the owner out at another."""
        login = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{login}:{ratelimit.get_ip(request)}"

    def post_login(
        self, request: HttpRequest, user: User, *, signup: bool, **more: Any
    ) -> HttpResponse:
        """A member who has just chosen a password does not have to type it again."""
        if signup and user.has_usable_password():
            record_authentication(request, user, "password")
        return super().post_login(request, user, signup=signup, **more)  # type: ignore[no-any-return]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """One rule for allauth's pages and for ours."""
        return not reauthentication.recently_authenticated(self.request)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Link the account to the signed-in member, in one transaction."""
        process = sociallogin.state.get("process")
        if process == AuthProcess.REDIRECT:
            reauthentication.record_reauthentication(request, sociallogin)
        if process != AuthProcess.CONNECT:
            return
        if not request.user.is_authenticated:
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))
        came = received.take(sociallogin)
        if came is not None:
            raise ImmediateHttpResponse(_connect(request, sociallogin, came))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Use the member's Instagram username, or a similar one if it is taken."""
        user = sociallogin.user
        user.language = language_of(get_language() or "en")
        if not user.username:
            wanted = sociallogin.account.extra_data.get("username")
            user.username = get_adapter().generate_unique_username([wanted, "member"])
        return super().save_user(request, sociallogin, form)  # type: ignore[no-any-return]

    def validate_disconnect(self, account: SocialAccount, accounts: Any) -> None:
        """Refuse to remove a sign-in if its link could then no longer be proven."""
        if LinkedAccount.objects.filter(
            instagram_id=account.uid, owner_id=account.user_id, unlinked_at__isnull=True
        ).exists():
            raise ValidationError(
                _("This account is linked. Unlink it on its own page; nothing was changed.")
            )

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Show why it failed; no reason means a late, repeated or foreign callback."""
        if extra_context is None:
            return
        extra_context["problem"] = (
            str(exception)
            if exception is not None
            else _(
                "The way back from Instagram did not fit to a way there: it took longer than ten "
                "minutes, was used twice, or began in another browser. Nothing was changed; "
                "please start again."
            )
        )


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts second factors, which allauth stores in clear by default."""

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Threadsite"


class OIDCAdapter(DefaultOIDCAdapter):  # type: ignore[misc]
    scope_display = {**DefaultOIDCAdapter.scope_display, **SCOPES}

    def get_issuer(self) -> str:
        """Return the public address, whatever host name the request used."""
        return settings.PUBLIC_URL

    def get_signing_key(self) -> PrivateKey:
        """Raises an OAuth error, so that a program gets that and not a 500."""
        try:
            return super().get_signing_key()
        except ImproperlyConfigured:
            raise InvalidScopeError(description=programs.NO_IDENTITY) from None

    def populate_server_metadata(self, data: dict[str, str | list[str]]) -> None:
        """Without a signing key, offer only the API's scopes and no `openid`."""
        known = self.scope_display if programs.can_sign_identity() else SCOPES
        data.update({name: _our_address(value) for name, value in data.items()})
        data["scopes_supported"] = [*known]
        data["response_types_supported"] = [oauth.RESPONSE_TYPE]
        data["grant_types_supported"] = [*oauth.GRANT_TYPES]


def _our_name() -> str:
    return urlsplit(settings.PUBLIC_URL).netloc


def _our_address(value: Any) -> Any:
    """Replace the origin of an address that allauth built from the request; keep anything else."""
    asked = request_context.request
    if asked is None or not isinstance(value, str):
        return value
    base = f"{asked.scheme}://{asked.get_host()}"
    if value != base and not value.startswith(f"{base}/"):
        return value
    return settings.PUBLIC_URL.rstrip("/") + value.removeprefix(base)


def _connect(request: HttpRequest, login: SocialLogin, came: Received) -> HttpResponse:
    """Link the account to the signed-in member, show the outcome and redirect to it."""
    assert isinstance(request.user, User)
    try:
        if login.is_existing and login.user.pk != request.user.pk:
            raise linking.linked_elsewhere()
        linked = linking.complete(
            owner=request.user,
            profile=came.profile,
            token=came.token,
            permissions=came.permissions,
            pending=came.pending,
        )
    except ThreadsiteError as error:
        messages.error(request, str(error.detail))
        return HttpResponseRedirect(reverse("accounts"))
    show_outcome(request, linked)
    url = login.get_redirect_url(request) or reverse("account", args=[linked.account.pk])
    return HttpResponseRedirect(url)
