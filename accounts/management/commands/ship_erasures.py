"""`manage.py ship_erasures`: write missing entries to the list of erasures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.files.storage import StorageFailed, storage_at
from accounts.services.erasure import erasure_list


class Command(BaseCommand):
    """`--to` copies the list elsewhere."""

    help = (
        "Writes every erasure that this database knows and the list at ERASURES_URL lacks. "
        "Erasures are written there by themselves; this is for a new address, and for copies."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to", default="", metavar="URL", help="a copy of the whole list, e.g. file:///folder"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = erasure_list.ship_all()
            self.stdout.write(f"{written} erasures written to the list.")
            if options["to"]:
                copy = storage_at(options["to"], settings.ERASURES_OPTIONS, default=Path())
                self.stdout.write(
                    f"{erasure_list.copy(erasure_list.storage(), copy)} erasures copied."
                )
        except (StorageFailed, ValueError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from None
