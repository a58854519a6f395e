"""Pages of outbound webhook subscriptions."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.errors import Conflict, InvalidInput
from accounts.instagram.reauthentication import reauthenticated
from accounts.services.quotas import spend
from accounts.views.base import MemberRequest, action, page
from followersync.forms import WebhookForm
from followersync.services.webhooks import outbound


@page
def webhooks(request: MemberRequest) -> HttpResponse:
    return _page(request, WebhookForm())


@action
@partial(reauthenticated, back="webhooks")
def subscribe(request: MemberRequest) -> HttpResponse:
    """Answered without a redirect: the secret is shown only once."""
    form = WebhookForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    spend(user_id=request.user.pk, name="webhook")
    try:
        _made, secret = outbound.subscribe(owner=request.user, url=form.cleaned_data["url"])
    except (Conflict, InvalidInput) as error:
        form.add_error("url", str(error.detail))
        return _page(request, form, status=422)
    return _page(request, WebhookForm(), secret=secret)


@action
def unsubscribe(request: MemberRequest, webhook_id: int) -> HttpResponse:
    outbound.subscription_of(request.user, webhook_id).delete()
    messages.success(request, _("Removed. The address is told nothing any more."))
    return redirect("webhooks")


@action
def enable(request: MemberRequest, webhook_id: int) -> HttpResponse:
    subscription = outbound.subscription_of(request.user, webhook_id)
    outbound.enable(subscription=subscription, enabled=True)
    messages.success(request, _("Switched on. What is new since is told at once."))
    return redirect("webhooks")


def _page(
    request: MemberRequest, form: WebhookForm, secret: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "secret": secret,
        "webhooks": outbound.subscriptions_of(request.user).order_by("pk"),
        "most": outbound.MOST_PER_MEMBER,
    }
    response = render(request, "followersync/webhooks.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response
