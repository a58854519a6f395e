"""The app that keeps follower lists equal to Instagram's, and their history."""

from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig


class FollowersyncConfig(AppConfig):
    name = "followersync"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Follower sync"

    def ready(self) -> None:
        from accounts import registry
        from followersync import checks, receivers
        from followersync.services import (
            claims,
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
        registry.register_job("followersync.tasks.tick", timedelta(minutes=1))
        registry.register_leases("runs", claims.end_leases)
