"""Settings page: sign-in, sessions, programs, language, time zone, data."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.forms import LocaleForm
from accounts.middleware import browser_zone
from accounts.selectors import needs_recovery_contact, programs_of
from accounts.selectors.privacy import exports_of
from accounts.services import members, programs
from accounts.views.base import MemberRequest, action, page, referring_page


@page
def settings(request: MemberRequest) -> HttpResponse:
    return _page(request, LocaleForm(instance=request.user))


@action
def save_locale(request: MemberRequest) -> HttpResponse:
    form = LocaleForm(request.POST, instance=request.user)
    if not form.is_valid():
        return _page(request, form, status=422)
    form.save()
    with translation.override(request.user.language):
        messages.success(request, _("Saved."))
    return redirect("settings")


@action
def use_browser_zone(request: MemberRequest) -> HttpResponse:
    """Set the browser's time zone, confirmed by the member."""
    request.user.time_zone = browser_zone(request)
    request.user.save(update_fields=["time_zone"])
    messages.success(
        request, _("Times are shown in %(zone)s now.") % {"zone": request.user.time_zone}
    )
    return redirect(referring_page(request, otherwise="settings"))


@action
def revoke_program(request: MemberRequest, client_id: str) -> HttpResponse:
    programs.revoke_program(user=request.user, client_id=client_id)
    messages.success(request, _("The program has no access any more."))
    return redirect("settings")


@action
def hide_reminder(request: MemberRequest) -> HttpResponse:
    members.hide_reminder(user=request.user, days=30)
    return redirect(referring_page(request))


def _page(request: MemberRequest, form: LocaleForm, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "programs": programs_of(request.user),
        "reminder": needs_recovery_contact(request.user),
        "offered_zone": offered_zone(request),
        "exports": exports_of(request.user),
    }
    return render(request, "accounts/settings.html", context, status=status)


def offered_zone(request: MemberRequest) -> str:
    """The browser's time zone, if the member has not chosen one; else ""."""
    zone = browser_zone(request)
    return zone if request.user.time_zone == "UTC" and zone != "UTC" else ""
