"""The project as an app: templates, static files, translations and operator commands."""

from __future__ import annotations

from django.apps import AppConfig


class ThreadsiteConfig(AppConfig):
    """Wiring only; no other app imports it."""

    name = "threadsite"
    verbose_name = "Threadsite"

    def ready(self) -> None:
        """From here on the log says which task a line belongs to, and traces are sent if asked."""
        from django.conf import settings

        from threadsite import logs

        logs.connect()
        if settings.OPENTELEMETRY:
            from threadsite import telemetry

            telemetry.install()
