"""Views that request and download a member's export."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.errors import NotFound, ThreadsiteError
from accounts.instagram.reauthentication import reauthenticated
from accounts.selectors.privacy import export_of
from accounts.services import export as exports
from accounts.services.quotas import spend
from accounts.views.base import MemberRequest, action, page


@action
@partial(reauthenticated, back="settings")
def request_export(request: MemberRequest) -> HttpResponse:
    spend(user_id=request.user.pk, name="export")
    exports.request_export(owner=request.user)
    messages.success(
        request, _("Your copy is being put together. Load this page again in a moment.")
    )
    return redirect("settings")


@page
@partial(reauthenticated, reading=True)
def download_export(request: MemberRequest, export_id: int) -> HttpResponseBase:
    try:
        stream, name = exports.open_file(export=export_of(request.user, export_id))
    except NotFound as error:
        raise Http404 from error
    except ThreadsiteError as error:
        messages.error(request, str(error.detail))
        return redirect("settings")
    return FileResponse(stream, as_attachment=True, filename=name)
