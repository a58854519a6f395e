"""Django app configuration of followersync."""

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
        from followersync.services import insights
        from followersync.services.imports import requests, transfers, watched_folders
        from followersync.services.personal_data import consent_coverage, erasure, export, secrets
        from followersync.services.sync import dispatcher, lease

        checks.register()
        consent_coverage.register()
        erasure.register()
        export.register()
        requests.register()
        watched_folders.register()
        transfers.register()
        secrets.register()
        insights.register()
        insights.connect()
        receivers.connect()
        registry.register_job(dispatcher.TICK, timedelta(minutes=1))
        registry.register_leases("runs", lease.end_leases)
