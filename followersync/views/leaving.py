"""Pages to unlink, erase an account or delete everything, with the numbers affected."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.errors import ThreadsiteError
from accounts.forms import ConfirmationForm
from accounts.instagram.reauthentication import reauthenticated
from accounts.models import DeletionRequest, LinkedAccount
from accounts.scopes import GRACE
from accounts.selectors import accounts_of
from accounts.selectors.privacy import deletions_of
from accounts.services import consent, erasure, linking
from accounts.views.base import MemberRequest, action, own_account
from followersync import selectors


def _requires_recent_sign_in(view: Any) -> Any:
    """A page that requires a recent sign-in."""
    guarded = reauthenticated(view)
    return never_cache(login_required(require_http_methods(["GET", "HEAD", "POST"])(guarded)))


@_requires_recent_sign_in
def unlink(request: MemberRequest, account_id: int) -> HttpResponse:
    """Unlink and erase, at once or after a grace period that the member grants."""
    account = own_account(request, account_id)
    if request.method != "POST":
        return _ask(request, account, "unlink", ConfirmationForm(word=account.username))
    after_grace = request.POST.get("erase") == "after_grace"
    return _unlink(request, account, "after_grace" if after_grace else "now")


@_requires_recent_sign_in
def delete(request: MemberRequest, account_id: int) -> HttpResponse:
    """Unlink and erase at once, after the username was typed."""
    account = own_account(request, account_id)
    form = ConfirmationForm(request.POST or None, word=account.username)
    if request.method != "POST" or not form.is_valid():
        return _ask(request, account, "delete", form)
    return _unlink(request, account, "now")


@_requires_recent_sign_in
def delete_everything(request: MemberRequest) -> HttpResponse:
    form = ConfirmationForm(request.POST or None, word=request.user.get_username())
    if request.method != "POST" or not form.is_valid():
        accounts = [{"account": a, "numbers": numbers(a)} for a in accounts_of(request.user)]
        status = 422 if request.method == "POST" else 200
        context = {"accounts": accounts, "form": form}
        return render(request, "followersync/delete_everything.html", context, status=status)
    deletion = erasure.request_full_erasure(owner=request.user, channel=DeletionRequest.Channel.WEB)
    logout(request)
    return render(request, "followersync/left.html", {"deletion": deletion, "salt": deletion.salt})


@action
@partial(reauthenticated, back="accounts")
def erase_now(request: MemberRequest, account_id: int) -> HttpResponse:
    """End the grace period of an unlinked account early."""
    account = own_account(request, account_id)
    waiting = deletions_of(request.user).filter(account_id=account.pk, state="scheduled").first()
    if waiting is None:
        raise Http404
    return redirect("deletion", erasure.start_now(waiting).code)


def numbers(account: LinkedAccount) -> dict[str, int]:
    """How many rows of each kind will be deleted."""
    return {
        # Including a first list that is not complete yet.
        "followers": selectors.digest(account).count,
        "changes": selectors.changes_page(account, limit=1).head,
        "snapshots": selectors.snapshots(account).count(),
        "runs": selectors.runs(account).count(),
    }


def _ask(
    request: MemberRequest, account: LinkedAccount, what: str, form: ConfirmationForm
) -> HttpResponse:
    context = {
        "account": account,
        "numbers": numbers(account),
        "form": form,
        "grace_days": settings.UNLINK_GRACE_DAYS,
        "grace_text": consent.current_text(GRACE, get_language() or settings.LANGUAGE_CODE),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, f"followersync/{what}.html", context, status=status)


def _unlink(
    request: MemberRequest, account: LinkedAccount, erase: Literal["now", "after_grace"]
) -> HttpResponse:
    """Answered without a redirect: the receipt's salt is shown once and not stored."""
    try:
        deletion = linking.unlink(
            account=account, erase=erase, channel=DeletionRequest.Channel.WEB, actor=request.user
        )
    except ThreadsiteError as error:
        messages.error(request, str(error.detail))
        return redirect("account", account.pk)
    context = {"deletion": deletion, "salt": deletion.salt, "name": account.username}
    return render(request, "followersync/left.html", context)
