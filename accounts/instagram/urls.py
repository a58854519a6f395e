"""URL patterns of sign-in by Instagram."""

from __future__ import annotations

from allauth.socialaccount.providers.oauth2.urls import default_urlpatterns

from accounts.instagram.provider import InstagramProvider

urlpatterns = default_urlpatterns(InstagramProvider)
