"""System checks of this app's settings (followersync.E001 to E003)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from followersync.models.settings import MAXIMUM_INTERVAL


def register() -> None:
    checks.register(check_intervals)
    checks.register(check_edge)
    checks.register(check_drive)


def check_intervals(
    app_configs: Sequence[AppConfig] | None, **_kwargs: Any
) -> list[checks.CheckMessage]:
    """followersync.E001: the default interval must be one that a member may choose."""
    low, default = settings.SYNC_INTERVAL_MINUTES_LOW, settings.SYNC_INTERVAL_MINUTES_DEFAULT
    if low <= default <= MAXIMUM_INTERVAL:
        return []
    return [
        checks.Error(
            f"SYNC_INTERVAL_MINUTES_DEFAULT ({default}) must lie between "
            f"SYNC_INTERVAL_MINUTES_LOW ({low}) and {MAXIMUM_INTERVAL}.",
            id="followersync.E001",
        )
    ]


def check_edge(
    app_configs: Sequence[AppConfig] | None, **_kwargs: Any
) -> list[checks.CheckMessage]:
    """followersync.E002: the list endpoint is one path segment, since it goes into a URL."""
    edge: str = settings.INSTAGRAM_FOLLOWERS_EDGE
    if not edge or edge.replace("_", "").isalnum():
        return []
    return [
        checks.Error(
            "INSTAGRAM_FOLLOWERS_EDGE must be the name of one endpoint, such as `followers`: "
            "letters, digits and underscores.",
            id="followersync.E002",
        )
    ]


def check_drive(
    app_configs: Sequence[AppConfig] | None, **_kwargs: Any
) -> list[checks.CheckMessage]:
    """followersync.E003: Google's id and secret belong together."""
    if bool(settings.GOOGLE_CLIENT_ID) == bool(settings.GOOGLE_CLIENT_SECRET):
        return []
    return [
        checks.Error(
            "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET must both be set, or neither.",
            id="followersync.E003",
        )
    ]
