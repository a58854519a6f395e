"""The project as an app: templates, static files, translations and operator commands."""

from __future__ import annotations

from django.apps import AppConfig


class ThreadsiteConfig(AppConfig):
    """Wiring only; no other app imports it."""

    name = "threadsite"
    verbose_name = "Threadsite"

    def ready(self) -> None:
        """From here on the queue's workers note when they are at a task."""
        from threadsite import cluster_folder

        cluster_folder.connect()
