"""Bring in Instagram's own export."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.errors import InvalidInput
from accounts.views.base import MemberRequest, action, own_account
from followersync.services import imports


@action
def import_archive(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    archive = request.FILES.get("archive")
    if archive is None:
        raise InvalidInput("archive_missing", _("No file was chosen, so nothing was imported."))
    try:
        imports.request_import(
            account=account,
            uploaded_file=archive,
            channel="web",
            file_name=archive.name or "",
            owner_confirmed=request.POST.get("owner_confirmed") == "on",
        )
    except InvalidInput as error:
        messages.error(request, str(error.detail))
        asked = error.code == "archive_owner_unknown" or (
            error.code == "archive_foreign_owner" and not account.is_proven
        )
        unknown = "?owner=unknown" if asked else ""
        return redirect(f"{reverse('account-settings', args=[account.pk])}{unknown}#import")
    return redirect("account", account.pk)
