"""Page of known members: other members who follow this account or whom it follows."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.errors import InvalidInput
from accounts.models import LinkedAccount
from accounts.scopes import Scope
from accounts.selectors import consent_in_force
from accounts.views.base import MemberRequest, own_account, page
from followersync.selectors.known_members import known_members_of


@page
def members(request: MemberRequest, account_id: int) -> HttpResponse:
    account = own_account(request, account_id)
    try:
        found = known_members_of(account, cursor=request.GET.get("cursor"))
    except InvalidInput as error:
        messages.error(request, str(error.detail))
        return redirect("account-members", account.pk)
    context = {"account": account, "page": found, "hidden": _why_hidden(account)}
    return render(request, "followersync/members.html", context)


def _why_hidden(account: LinkedAccount) -> str:
    """Why no known members are shown, nor this account to others; empty if they are."""
    if not account.is_proven:
        return "unproven"
    if account.unlinked_at or account.paused_at:
        return account.state
    return "" if consent_in_force(account.pk, Scope.DISCOVERABLE) else "silent"
