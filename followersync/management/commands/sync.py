"""One sync now, in the foreground."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import clock
from accounts.errors import ThreadsiteError
from accounts.models import LinkedAccount
from followersync.errors import SyncRunning
from followersync.models import SyncRun, Trigger
from followersync.services import sync

WIDTH = 30
# Longer waits are left to the queue: a terminal is not to hang for an hour.
LONGEST_WAIT = 60.0


class Command(BaseCommand):
    help = "Sync one linked account now, with a progress bar. A run that is open already goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account_id", type=int, metavar="ACCOUNT_ID")

    def handle(self, *args: Any, account_id: int, **options: Any) -> None:
        account = LinkedAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise CommandError(f"There is no linked account {account_id}.")
        try:
            run = sync.request_sync(account=account, trigger=Trigger.STAFF)
        except SyncRunning as running:
            run = running.run
        except ThreadsiteError as error:
            raise CommandError(str(error.detail)) from None
        self._follow(run)
        self._report(run)

    def _follow(self, run: SyncRun) -> None:
        """Advance it, or watch whoever does, until it is closed or waits for long."""
        while True:
            more = sync.advance(run.pk, watch=self._bar)
            run.refresh_from_db()
            if not run.is_open:
                return
            if more:
                continue
            if run.not_before is None:
                self._bar(run.progress)
                time.sleep(0.5)
                continue
            seconds = clock.real_seconds(run.not_before - clock.now())
            if seconds > LONGEST_WAIT:
                raise CommandError(f"Instagram asks us to wait until {run.not_before:%H:%M} UTC.")
            time.sleep(max(0.0, seconds))

    def _bar(self, progress: dict[str, Any]) -> None:
        seen, expected = progress.get("seen") or 0, progress.get("expected") or 0
        part = min(1.0, seen / expected) if expected else 0.0
        filled = round(part * WIDTH)
        bar = "█" * filled + "░" * (WIDTH - filled)
        if sys.stdout.isatty():
            self.stdout.write(f"\r{bar} {part:4.0%}  {seen:,} of {expected:,}", ending="")
            self.stdout.flush()

    def _report(self, run: SyncRun) -> None:
        if sys.stdout.isatty():
            self.stdout.write("")
        if run.state == SyncRun.State.FAILED:
            raise CommandError(f"The sync failed: {run.error_detail or run.error_code}")
        if run.state == SyncRun.State.CANCELLED:
            raise CommandError("The sync was cancelled.")
        followers = run.account.sync_settings.followers_count
        self.stdout.write(
            f"{run.account}: {followers:,} followers, {run.gained + run.found} gained, "
            f"{run.lost} lost, {run.returned} returned, {run.renamed} renamed "
            f"({run.calls} calls, {run.pages} pages, {run.get_mode_display()})."
        )
