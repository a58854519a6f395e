"""`manage.py new_environment PATH`: write the environment file of a new deployment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from threadsite import environment_file

#: systemd and Compose read one line each; a quote would end the value.
REFUSED = ("'", "\n", "\r")


class Command(BaseCommand):
    """Writes every setting with comments and fresh secrets, with mode 0600."""

    help = (
        "Writes a file with every setting, what each means, and fresh secrets, readable by its "
        "owner alone. A file that is there is never touched: its keys are needed."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--public-url", default="", help="https://threads.example")
        parser.add_argument("--database-url", default="", help="postgresql://…/NAME")
        parser.add_argument("--home", default="/var/lib/threadsite", help="THREADSITE_HOME")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it, then print what is still missing."""
        path: Path = options["path"]
        url = options["public_url"].rstrip("/")
        if url and not (url.startswith(("http://", "https://")) and urlsplit(url).hostname):
            raise CommandError("--public-url must look like https://threads.example.")
        for value in (url, options["database_url"], options["home"]):
            if any(each in value for each in REFUSED):
                raise CommandError("No value may hold quotes or line breaks; in a URL, ' is %27.")
        text = environment_file.written(
            path.absolute(),
            public_url=url,
            database_url=options["database_url"],
            home=options["home"],
        )
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CommandError(f"{path} is there already. Its keys are needed: move it.") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
        missing = ", ".join(environment_file.missing(text)) or "nothing"
        self.stdout.write(f"{path} is written. Fill in: {missing}.")
