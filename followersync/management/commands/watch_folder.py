"""Command: watch a folder for an account's recurring exports."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import ThreadsiteError
from accounts.models import LinkedAccount
from followersync.services.imports import watched_folders


class Command(BaseCommand):
    help = (
        "Watch a folder (file://, s3://, webdavs://) for one account's recurring exports. "
        "Options that are secret are asked for, so that no shell history keeps them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account_id", type=int, metavar="ACCOUNT_ID")
        parser.add_argument("url", metavar="URL", nargs="?")
        parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("--secret", action="append", default=[], metavar="NAME")
        parser.add_argument("--stop", action="store_true", help="watch it no more")

    def handle(self, *args: Any, account_id: int, url: str | None, **options: Any) -> None:
        account = LinkedAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise CommandError(f"There is no linked account {account_id}.")
        if options["stop"]:
            watched_folders.unwatch(account=account)
            self.stdout.write(f"The folder of {account} is watched no more.")
            return
        if not url:
            raise CommandError("Name the folder to watch.")
        given = dict(each.partition("=")[::2] for each in options["option"])
        given |= {name: getpass.getpass(f"{name}: ") for name in options["secret"]}
        try:
            watched_folders.watch(account=account, url=url, options=given, local_allowed=True)
        except ThreadsiteError as error:
            raise CommandError(str(error.detail)) from None
        self.stdout.write(f"Exports in {url} are imported into {account} from now on.")
