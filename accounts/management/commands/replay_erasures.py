"""After a backup was restored: erase again whom it brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services.erasure import listing


class Command(BaseCommand):
    """`manage.py replay_erasures`: reads the list of erasures, by file and database."""

    help = (
        "Erases again whom a restored backup holds although they were erased after it was made. "
        "The list names nobody: keyed hashes and times."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--list",
            type=Path,
            action="append",
            default=[],
            help=f"a copy of {listing.FILE_NAME} kept apart from the backups; may be repeated "
            "(default: the one under THREADSITE_HOME)",
        )
        parser.add_argument(
            "--save", type=Path, help="only write the database's list to this file, to be kept"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["save"]:
            count = listing.append(listing.entries(), options["save"])
            self.stdout.write(f"{count} erasures written to {options['save']}.")
            return
        lines = list(listing.entries())
        for path in options["list"] or [listing.file_path()]:
            if not path.exists() and not options["list"]:
                continue
            try:
                lines += listing.read(path)
            except (OSError, ValueError) as error:
                raise CommandError(str(error)) from None
        begun = listing.replay(lines)
        for deletion in begun:
            self.stdout.write(f"erasing again: {deletion.code}")
        self.stdout.write(f"{len(lines)} erasures in the list, {len(begun)} to be done again.")
