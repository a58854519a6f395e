"""URL patterns of OAuth 2.0 that replace allauth's."""

from __future__ import annotations

from django.urls import path

from accounts.views import oauth

urlpatterns = [
    path("authorize", oauth.authorization),
    path("device", oauth.device_authorization),
    path("logout", oauth.logout),
    path("api/token", oauth.token),
    path("api/revoke", oauth.revoke),
    path("api/device/code", oauth.device_code),
]
