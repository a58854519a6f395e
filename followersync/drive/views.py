"""OAuth redirect to Google and callback, for consent to read the exports in a Drive."""

from __future__ import annotations

import logging
from typing import Any, cast

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.errors import ThreadsiteError
from accounts.instagram.reauthentication import recently_authenticated, redirect_to_reauthentication
from accounts.models import LinkedAccount
from accounts.scopes import Scope
from accounts.services import gate
from accounts.services.quotas import spend
from accounts.views.base import MemberRequest, action, own_account
from followersync.services.imports import watched_folders
from followersync.sources import drive
from followersync.sources.folder import FolderError

logger = logging.getLogger(__name__)
# Exports are Instagram's files, so `drive.file`, which covers only our own, is not enough.
READ_ONLY = "https://www.googleapis.com/auth/drive.readonly"


class DriveAdapter(OAuth2Adapter):  # type: ignore[misc]
    provider_id = "googledrive"

    @property
    def authorize_url(self) -> str:
        return f"{settings.GOOGLE_OAUTH_URL}/o/oauth2/v2/auth"

    @property
    def access_token_url(self) -> str:
        return f"{settings.GOOGLE_TOKEN_URL}/token"

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return settings.PUBLIC_URL + reverse("googledrive_callback")

    def get_client(self, request: HttpRequest, app: Any) -> Any:
        """The app in force now: allauth reads its list of apps only once, at the start."""
        client = super().get_client(request, app)
        client.consumer_key = settings.GOOGLE_CLIENT_ID
        client.consumer_secret = settings.GOOGLE_CLIENT_SECRET
        return client


@action
def connect(request: MemberRequest, account_id: int) -> HttpResponseBase:
    """Redirect the member to Google's consent page."""
    account = own_account(request, account_id)
    if not settings.GOOGLE_CLIENT_ID:
        raise Http404
    if not recently_authenticated(request):
        return redirect_to_reauthentication(
            request, back=reverse("account-settings", args=[account.pk])
        )
    gate.check(account.pk, Scope.FOLLOWERS)
    spend(user_id=request.user.pk, name="import")
    answer: HttpResponse = _provider(request).redirect(
        request, AuthProcess.REDIRECT, data={"account": account.pk}
    )
    return answer


@never_cache
@login_required
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """The OAuth callback; valid once, and only in the browser that began it."""
    state_id = request.GET.get("state", "")
    state = statekit.unstash_state(request, provider_id=DriveAdapter.provider_id, state_id=state_id)
    if state is None:
        messages.error(
            request,
            _(
                "The way back from Google did not fit to a way there: it took longer than ten "
                "minutes, was used twice, or began in another browser. Nothing was changed; "
                "please start again."
            ),
        )
        return redirect("accounts")
    member = cast("MemberRequest", request)
    account = own_account(member, int(state["data"]["account"]))
    if "code" in request.GET:
        _watch(member, account, state)
    else:
        messages.info(request, _("At Google you said no. Nothing was changed."))
    return redirect(f"{reverse('account-settings', args=[account.pk])}#folder")


def _watch(request: MemberRequest, account: LinkedAccount, state: dict[str, Any]) -> None:
    adapter = DriveAdapter(request)
    try:
        token, allowed = drive.exchange(
            request.GET["code"],
            redirect_uri=adapter.get_callback_url(request, None),
            verifier=state.get("pkce_code_verifier"),
        )
    except FolderError as error:
        logger.warning("Google gave no token for account %s: %s", account.pk, error.code)
        token, allowed = "", frozenset()
    # The member may have unticked the only permission.
    token = token if READ_ONLY in allowed else ""
    try:
        watched_folders.watch_drive(account=account, refresh_token=token)
    except ThreadsiteError as error:
        messages.error(request, str(error.detail))
        return
    messages.success(
        request,
        _("Your Google Drive is watched. We look into it now; this page says what came of it."),
    )


def _provider(request: HttpRequest) -> Any:
    return get_adapter(request).get_provider(request, DriveAdapter.provider_id)
