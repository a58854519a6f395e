"""Command: sync one account now, in the foreground."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import ThreadsiteError
from accounts.models import LinkedAccount
from followersync.errors import SyncRunning
from followersync.management import foreground
from followersync.models import SyncRun, Trigger
from followersync.services.imports import requests
from followersync.services.sync import runs
from followersync.texts.errors import in_words

WIDTH = 30


class Command(BaseCommand):
    help = (
        "Sync one linked account now, with a progress bar, and say what came of it. A sync that is "
        "open already goes on; whoever works on the account meanwhile is waited for."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account_id", type=int, metavar="ACCOUNT_ID")

    def handle(self, *args: Any, account_id: int, **options: Any) -> None:
        account = LinkedAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise CommandError(f"There is no linked account {account_id}.")
        try:
            run = foreground.open_when_free(partial(_request, account), watch=self._bar)
            foreground.follow(run, watch=self._bar)
        except ThreadsiteError as error:
            raise CommandError(str(error.detail)) from None
        self._report(run)

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
            why = in_words(run.error_code, run.error_detail)
            raise CommandError(f"The sync failed: {why}")
        if run.state == SyncRun.State.CANCELLED:
            why = in_words(run.error_code) if run.error_code else "Somebody stopped it."
            raise CommandError(f"The sync was cancelled. {why}")
        followers = run.account.sync_settings.followers_count
        self.stdout.write(
            f"{run.account}: {followers:,} followers, {run.gained + run.found} gained, "
            f"{run.lost} lost, {foreground.unconfirmed(run)} unconfirmed, "
            f"{run.returned} returned, {run.renamed} renamed "
            f"({run.calls} calls, {run.pages} pages, {run.get_mode_display()})."
        )


def _request(account: LinkedAccount) -> SyncRun:
    """A new sync, or the one that is already open; an open import is waited for."""
    try:
        return runs.request_sync(account=account, trigger=Trigger.STAFF)
    except SyncRunning as running:
        if requests.is_import(running.run.pk):
            raise
        return running.run
