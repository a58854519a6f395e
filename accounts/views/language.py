"""View that sets the language of the pages."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.views.base import referring_page


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Store a visitor's choice in a cookie, a member's in their settings."""
    language = request.POST.get("language", "")
    response = redirect(referring_page(request, otherwise="home"))
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, samesite="Lax", max_age=31536000
        )
        if request.user.is_authenticated:
            request.user.language = language
            request.user.save(update_fields=["language"])
    return response
