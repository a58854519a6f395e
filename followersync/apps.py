"""The app that keeps follower lists equal to Instagram's, and their history."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FollowersyncConfig(AppConfig):
    name = "followersync"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Follower sync"

    def ready(self) -> None:
        from followersync import checks, receivers
        from followersync.services import (
            coverage,
            erasing,
            exporting,
            folders,
            imports,
            insights,
            secrets,
            transfers,
        )

        checks.register()
        coverage.register()
        erasing.register()
        exporting.register()
        imports.register()
        folders.register()
        transfers.register()
        secrets.register()
        insights.register()
        insights.connect()
        receivers.connect()
        post_migrate.connect(receivers.ensure_tick, sender=self)
