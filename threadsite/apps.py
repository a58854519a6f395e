"""The project as an app: templates, static files, translations and operator commands."""

from __future__ import annotations

from django.apps import AppConfig


class ThreadsiteConfig(AppConfig):
    """Wiring only; no other app imports it."""

    name = "threadsite"
    verbose_name = "Threadsite"

    def ready(self) -> None:
        """From here on requests and tasks are measured and told of; workers note their tasks."""
        from django.conf import settings

        from threadsite import cluster_folder, logs, measurements

        cluster_folder.connect()
        measurements.connect()
        logs.connect()
        if settings.OPENTELEMETRY:
            from threadsite import telemetry

            telemetry.install()
