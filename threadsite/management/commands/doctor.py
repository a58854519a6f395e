"""`manage.py doctor`: report what is misconfigured, unreachable or overdue."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from threadsite import doctor


class Command(BaseCommand):
    """One line per finding; exits with 1 if something needs doing."""

    help = "Says what is misconfigured, unreachable or overdue, and what to do about it."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding, the good ones too."""
        findings = doctor.examine()
        for finding in findings:
            mark = self.style.SUCCESS("ok  ") if finding.well else self.style.ERROR("see ")
            self.stdout.write(f"{mark}{finding.what}")
            if finding.advice:
                self.stdout.write(f"      {finding.advice}")
        unwell = sum(not finding.well for finding in findings)
        if unwell:
            raise CommandError(f"{unwell} to look at.")
        self.stdout.write("Everything is well.")
