"""`manage.py rotate_keys`: re-encrypt stored secrets under the newest key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import ThreadsiteError
from accounts.services import keys
from accounts.services.keys import Rotation


class Command(BaseCommand):
    help = (
        "Moves stored tokens and second factors under the newest key of TOKEN_KEYS, while the site "
        "runs. It refuses while a process that runs does not encrypt under that key yet. Stopped, "
        "it can be started again; when it has ended, the older keys can go."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="move nothing; say whether every process that runs knows every key",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        try:
            if check:
                keys.require_keys_known_to_all()
                self.stdout.write("Every process that runs knows every key of TOKEN_KEYS.")
                return
            done = keys.rotate(self._print_progress)
        except ThreadsiteError as error:
            raise CommandError(str(error.detail)) from None
        self.stdout.write(f"{done.moved} of {done.seen} secrets moved to the newest key.")

    def _print_progress(self, done: Rotation) -> None:
        self.stderr.write(f"{done.seen} looked at, {done.moved} moved", ending="\r")
