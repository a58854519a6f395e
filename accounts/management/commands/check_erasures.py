"""`manage.py check_erasures`: compare the list of erasures with the database."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from accounts.files.storage import StorageFailed
from accounts.services.erasure import erasure_list, restored_backup


class Command(BaseCommand):
    """Exits with 1 if list and database differ."""

    help = (
        "Says whether the list of erasures at ERASURES_URL is whole, signed with this site's key, "
        "and the one that the database knows."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wrong = self._compare()
        except (StorageFailed, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from None
        if wrong:
            raise CommandError(f"{wrong} differences.")

    def _compare(self) -> int:
        source = erasure_list.storage()
        listed = erasure_list.numbers(source)
        wrong = 0
        for number in sorted(listed):
            try:
                erasure_list.read(source, number)
            except ValueError as error:
                wrong += 1
                self.stderr.write(str(error))
        for entry in erasure_list.not_listed(listed):
            wrong += 1
            self.stderr.write(f"{entry.number.hex} is missing in the list: run ship_erasures.")
        found = restored_backup.compare()
        if found.reason:
            wrong += 1
            self.stderr.write(f"{found.reason} {found.advice}")
        self.stdout.write(f"{len(listed)} erasures in the list.")
        return wrong
