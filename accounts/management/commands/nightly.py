"""`manage.py nightly [WORK …]`: do the nightly work at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services import nightly


class Command(BaseCommand):
    """Prints the time that each piece of work took."""

    help = "Does the nightly work here and now, and says how long each piece took."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("work", nargs="*", help=f"of: {', '.join(nightly.jobs())}")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = set(options["work"]) - set(nightly.jobs())
        if unknown:
            raise CommandError(f"There is no nightly work {', '.join(sorted(unknown))}.")
        failed = 0
        for job in nightly.run(options["work"] or None):
            failed += bool(job.failures)
            outcome = job.error_code or f"{job.done} done"
            self.stdout.write(
                f"{job.name:45} {outcome:>16} {job.seconds:8.1f} s {job.slices:5} slices,"
                f" the longest {job.longest:.1f} s"
            )
        if failed:
            raise CommandError(f"{failed} failed: see the log.")
