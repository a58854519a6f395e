"""Only the way back: it begins on the account's own page, and nobody signs in here."""

from __future__ import annotations

from django.urls import path

from followersync.drive.views import came_back

urlpatterns = [
    path("googledrive/login/callback/", came_back, name="googledrive_callback"),
]
