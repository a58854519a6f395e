"""Django app configuration of the Drive provider."""

from __future__ import annotations

from django.apps import AppConfig


class DriveConfig(AppConfig):
    """A separate app, since allauth mounts the `urls` of the package that holds `provider`."""

    name = "followersync.drive"
    label = "drive"
    verbose_name = "Google Drive"
    default_auto_field = "django.db.models.BigAutoField"
