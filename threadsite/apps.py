"""App configuration of the project: templates, static files, translations, operator commands."""

from __future__ import annotations

from django.apps import AppConfig


class ThreadsiteConfig(AppConfig):
    """Connects signals; no other app imports it."""

    name = "threadsite"
    verbose_name = "Threadsite"

    def ready(self) -> None:
        """Connect logs, metrics, traces and the workers' task marks."""
        from django.conf import settings

        from threadsite import cluster_folder, database, logs, measurements

        database.connect()
        cluster_folder.connect()
        measurements.connect()
        logs.connect()
        if settings.OPENTELEMETRY:
            from threadsite import telemetry

            telemetry.install()
