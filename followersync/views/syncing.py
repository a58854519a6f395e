"""Pages to request a sync and to set its interval."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.errors import InvalidInput
from accounts.services.quotas import QuotaUsedUp, spend
from accounts.views.base import MemberRequest, action, own_account
from followersync.errors import SyncRunning
from followersync.models import Trigger
from followersync.services.sync import runs, settings
from followersync.texts.formats import moment


@action
def sync_now(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    try:
        # In one transaction, so that a refused sync is not counted.
        with transaction.atomic():
            spend(user_id=request.user.pk, name="sync")
            runs.request_sync(account=account, trigger=Trigger.MEMBER)
    except QuotaUsedUp as error:
        free = _("You can sync again at %(when)s.") % {"when": moment(error.at)}
        messages.error(request, f"{error.detail} {free}")
    except SyncRunning as error:
        messages.info(request, str(error.detail))
    return redirect("account", account.pk)


@action
def set_interval(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    minutes = request.POST.get("interval_minutes", "")
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 9):
        raise InvalidInput(
            "invalid_interval", _("That is not a number of minutes. Nothing was changed.")
        )
    settings.set_interval(account=account, minutes=int(minutes))
    messages.success(request, _("Saved. The next look is planned accordingly."))
    return redirect("account-settings", account.pk)
