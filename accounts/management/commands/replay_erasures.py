"""`manage.py replay_erasures`: repeat erasures that a restored backup has undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.files.storage import StorageFailed, storage_at
from accounts.services.erasure import erasure_list, replay, restored_backup
from accounts.services.erasure.erasure_list import Entry


class Command(BaseCommand):
    """Compares the list with the database and erases the difference.

    Exits with 1, and the site may not be served, until every erasure of the list is done.
    """

    help = (
        "Erases again, here and now, whom a restored backup holds although they were erased after "
        "it was made. The list (ERASURES_URL) names nobody: keyed hashes and times."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--list",
            default="",
            metavar="URL",
            help="a copy of the list, as ship_erasures --to made it (default: ERASURES_URL)",
        )
        parser.add_argument(
            "--without-list",
            action="store_true",
            help="the list is lost for good: begin a new one. People who were erased since the "
            "backup stay in the database",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["without_list"]:
                self._begin_anew()
                return
            self._adopt_copy(options["list"])
            self._replay(replay.unknown_entries(erasure_list.storage()))
        except (StorageFailed, ValueError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from None

    def _adopt_copy(self, address: str) -> None:
        """Copy a given list to ERASURES_URL, where it is used from now on."""
        home = erasure_list.storage()
        if address:
            copy = storage_at(address, settings.ERASURES_OPTIONS, default=Path())
            self.stdout.write(f"{erasure_list.copy(copy, home)} erasures copied to ERASURES_URL.")
        if erasure_list.mark_of(home) is None:
            raise CommandError(
                "There is no list of erasures at ERASURES_URL, so nothing was replayed. "
                f"Correct the address, or name a copy by --list. {restored_backup.WITHOUT}"
            )

    def _replay(self, entries: list[Entry]) -> None:
        failed = 0
        for begun in replay.replay(entries):
            done = replay.carry_out(begun)
            failed += not done
            outcome = "erased again" if done else f"NOT erased ({getattr(begun, 'error_code', '')})"
            self.stdout.write(f"{begun.code}: {outcome}")
        if failed:
            raise CommandError(f"{failed} erasures were not carried out: nothing may be served.")
        erasure_list.learn(entries)
        self.stdout.write(f"{len(entries)} erasures were unknown to this database; all are done.")
        self._print_state()

    def _begin_anew(self) -> None:
        target = erasure_list.storage()
        if erasure_list.mark_of(target) is not None:
            raise CommandError(
                "There is a list of erasures at ERASURES_URL. Replay it: without --without-list."
            )
        written = erasure_list.begin_anew(target)
        self.stdout.write(f"A new list was begun with the {written} erasures of this database.")
        self._print_state()

    def _print_state(self) -> None:
        found = restored_backup.compare()
        if found.reason:
            raise CommandError(f"{found.reason} {found.advice}")
        self.stdout.write("This database may be served.")
