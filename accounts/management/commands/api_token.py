"""`manage.py api_token`: issue an API token for a member."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.api_scopes import SCOPES
from accounts.errors import ThreadsiteError
from accounts.selectors import member_by_reference
from accounts.services import programs


class Command(BaseCommand):
    help = "Prints a bearer token of a member's for the API, once: only its hash is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("member", help="username or number of the member")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            metavar="S",
            help=f"what the token may do; can be repeated: {', '.join(SCOPES)}",
        )
        parser.add_argument(
            "--days", type=int, default=programs.DEFAULT_DAYS, help="lifetime (default 90)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            member = member_by_reference(options["member"])
            token = programs.issue_token(user=member, scopes=options["scope"], days=options["days"])
        except ThreadsiteError as error:
            raise CommandError(str(error.detail)) from None
        self.stdout.write(token)
