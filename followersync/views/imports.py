"""Pages to import an export and to answer the question about its owner."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.errors import InvalidInput
from accounts.services.quotas import spend
from accounts.views.base import MemberRequest, action, own_account
from followersync.services.imports import questions, requests


@action
def import_archive(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    archive = request.FILES.get("archive")
    if archive is None:
        raise InvalidInput("archive_missing", _("No file was chosen, so nothing was imported."))
    spend(user_id=request.user.pk, name="import")
    try:
        requests.request_import(
            account=account,
            uploaded_file=archive,
            channel="web",
            file_name=archive.name or "",
        )
    except InvalidInput as error:
        messages.error(request, str(error.detail))
        return redirect(f"{reverse('account-settings', args=[account.pk])}#import")
    return redirect("account", account.pk)


@action
def answer(request: MemberRequest, account_id: int, run_id: int) -> HttpResponse:
    """Yes imports the stored archive; anything else deletes it."""
    account = own_account(request, account_id)
    if request.POST.get("answer") == "yes":
        spend(user_id=request.user.pk, name="import")
        requests.answer(account=account, run_id=run_id)
    else:
        questions.decline(account, run_id)
        messages.success(request, _("The file was deleted. Nothing in your list was changed."))
    return redirect("account", account.pk)
