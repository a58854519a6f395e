"""Views that pause and resume an account."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.services import linking
from accounts.views.base import MemberRequest, action, own_account, referring_page


@action
def pause(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    linking.pause(account=account, actor=request.user)
    messages.success(request, _("Paused. Nothing is fetched from Instagram until you go on."))
    return redirect(referring_page(request))


@action
def resume(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    linking.resume(account=account, actor=request.user)
    messages.success(request, _("Syncing again. The first look follows at once."))
    return redirect(referring_page(request))
