"""`manage.py derived_keys`: print the keys derived from SECRET_KEY, before it is changed."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from threadsite import environment


class Command(BaseCommand):
    """Prints environment lines to standard output only."""

    help = (
        "Prints NAME=value for each key that is drawn from SECRET_KEY. Set these variables before "
        "you change SECRET_KEY: else the consent ledger no longer verifies, receipts are signed by "
        "another key, and people who asked not to be stored are forgotten. These are secrets."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Does not use the database."""
        for name, purpose in environment.PURPOSES.items():
            if os.environ.get(name, "").strip():
                self.stdout.write(f"# {name} is set already.")
            else:
                key = environment.derived_key(purpose, settings.SECRET_KEY)
                self.stdout.write(f"{name}={key}")
