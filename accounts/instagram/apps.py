"""App configuration of accounts.instagram."""

from __future__ import annotations

from django.apps import AppConfig


class InstagramConfig(AppConfig):
    """An app of its own, since allauth mounts the `urls` of the package that holds `provider`."""

    name = "accounts.instagram"
    label = "instagram"
    verbose_name = "Instagram"
    default_auto_field = "django.db.models.BigAutoField"
