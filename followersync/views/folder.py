"""Pages to watch a folder and to stop watching it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.errors import InvalidInput
from accounts.instagram.reauthentication import recently_authenticated, redirect_to_reauthentication
from accounts.models import LinkedAccount
from accounts.services.quotas import spend
from accounts.views.base import MemberRequest, action, own_account
from followersync.forms import FolderForm
from followersync.services.imports import watched_folders
from followersync.views.settings import settings_page


@action
def watch(request: MemberRequest, account_id: int) -> HttpResponseBase:
    """Requires a recent sign-in, since a watched folder outlives the session."""
    account = own_account(request, account_id)
    if not recently_authenticated(request):
        return redirect_to_reauthentication(
            request, back=reverse("account-settings", args=[account.pk])
        )
    form = FolderForm(request.POST)
    if not form.is_valid():
        return settings_page(request, account, folder_form=form, status=422)
    spend(user_id=request.user.pk, name="import")
    try:
        watched_folders.watch(account=account, url=form.cleaned_data["url"], options=form.options())
    except InvalidInput as error:
        form.add_error("url", str(error.detail))
        return settings_page(request, account, folder_form=form, status=422)
    messages.success(
        request, _("The folder is watched. We look into it now; this page says what came of it.")
    )
    return _back(account)


@action
def unwatch(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    watched_folders.unwatch(account=account)
    messages.success(
        request, _("The folder is watched no more, and its password is forgotten here.")
    )
    return _back(account)


def _back(account: LinkedAccount) -> HttpResponse:
    return redirect(f"{reverse('account-settings', args=[account.pk])}#folder")
