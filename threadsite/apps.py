"""The project as an app: templates, static files, translations and operator commands."""

from __future__ import annotations

from django.apps import AppConfig


class ThreadsiteConfig(AppConfig):
    """Wiring only; no other app imports it."""

    name = "threadsite"
    verbose_name = "Threadsite"

    def ready(self) -> None:
        """Requests and tasks are measured from here on."""
        from threadsite import measuring

        measuring.connect()
