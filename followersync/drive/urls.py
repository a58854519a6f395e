"""URLs of the Drive provider: the OAuth callback only; nobody signs in here."""

from __future__ import annotations

from django.urls import path

from followersync.drive.views import callback

urlpatterns = [
    path("googledrive/login/callback/", callback, name="googledrive_callback"),
]
