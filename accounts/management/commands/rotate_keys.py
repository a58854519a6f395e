from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import ThreadsiteError
from accounts.services import keys
from accounts.services.keys import Rotation


class Command(BaseCommand):
    help = (
        "Moves stored tokens and second factors under the newest key of TOKEN_KEYS, while the site "
        "runs. Stopped, it can be started again; when it has ended, the older keys can go."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = keys.rotate(self._tell)
        except ThreadsiteError as error:
            raise CommandError(str(error.detail)) from None
        self.stdout.write(f"{done.moved} of {done.seen} secrets moved to the newest key.")

    def _tell(self, done: Rotation) -> None:
        self.stderr.write(f"{done.seen} looked at, {done.moved} moved", ending="\r")
