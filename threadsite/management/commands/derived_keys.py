"""Print the keys that are drawn from SECRET_KEY, to be pinned before it is changed."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from threadsite import environment


class Command(BaseCommand):
    """`manage.py derived_keys`: lines for the environment, to standard output and nowhere else."""

    help = (
        "Prints NAME=value for each key that is drawn from SECRET_KEY. Set these variables before "
        "you change SECRET_KEY: else the consent ledger no longer verifies, receipts are signed by "
        "another key, and people who asked not to be stored are forgotten. These are secrets."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """The database is not asked."""
        for name, purpose in environment.PURPOSES.items():
            if os.environ.get(name, "").strip():
                self.stdout.write(f"# {name} is set already.")
            else:
                key = environment.derived_key(purpose, settings.SECRET_KEY)
                self.stdout.write(f"{name}={key}")
