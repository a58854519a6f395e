"""Home page, icon and imprint."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from accounts.views.operator import operator


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    listable = bool(settings.INSTAGRAM_FOLLOWERS_EDGE)
    return render(request, "accounts/home.html", {"listable": listable})


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """Browsers request it on pages without an icon, such as the admin's."""
    return redirect(static("threadsite/mark.svg"))


@require_safe
def imprint(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/imprint.html", {"operator": operator()})
