"""Command: import an Instagram export now, in the foreground."""

from __future__ import annotations

from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import ngettext

from accounts.errors import ThreadsiteError
from accounts.models import LinkedAccount
from followersync.management import foreground
from followersync.models import SyncRun
from followersync.services.imports import requests
from followersync.texts.imports import result_in_words


class Command(BaseCommand):
    help = (
        "Import an export archive (zip, unpacked folder or followers_1.json) for one account, and "
        "say what came of it. Whoever works on the account meanwhile is waited for."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account_id", type=int, metavar="ACCOUNT_ID")
        parser.add_argument("path", type=Path, metavar="PATH")
        parser.add_argument(
            "--owner-confirmed",
            action="store_true",
            help="the archive does not say whose it is, and it is this account's",
        )

    def handle(self, *args: Any, account_id: int, path: Path, **options: Any) -> None:
        account = LinkedAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise CommandError(f"There is no linked account {account_id}.")
        if not path.exists():
            raise CommandError(f"{path} does not exist.")
        bring = partial(
            requests.import_now,
            account=account,
            path=path,
            owner_confirmed=options["owner_confirmed"],
            watch=self._progress,
        )
        try:
            run = foreground.open_when_free(bring, watch=self._progress)
            foreground.follow(run, watch=self._progress)
        except ThreadsiteError as error:
            raise CommandError(str(error.detail)) from None
        words = result_in_words(run)
        if run.state != SyncRun.State.SUCCEEDED:
            raise CommandError(" ".join(words))
        if missed := foreground.unconfirmed(run):
            words.append(
                ngettext(
                    "%(n)s person was not seen and is unconfirmed.",
                    "%(n)s people were not seen and are unconfirmed.",
                    missed,
                )
                % {"n": missed}
            )
        self.stdout.write(" ".join(words))

    def _progress(self, progress: dict[str, int | None]) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{progress.get('seen') or 0:,} read", ending="")
            self.stdout.flush()
