"""Command: partition the tables of lists, histories and feeds by account."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, transaction

from followersync.store import partitions


class Command(BaseCommand):
    help = (
        "Divide the lists, histories and feeds into so many partitions by account, for a site that "
        "outgrows a disk (0: one table each again). The site waits while a table is rebuilt, which "
        "takes about as long as loading it and needs its space once more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("parts", type=int, metavar="PARTS")
        parser.add_argument(
            "--tablespace",
            action="append",
            default=[],
            metavar="NAME",
            help="where the partitions lie, in turn; several times for several disks",
        )

    def handle(self, *args: Any, parts: int, tablespace: list[str], **options: Any) -> None:
        if parts == 1 or not 0 <= parts <= partitions.MOST:
            raise CommandError(f"PARTS must be 0, or between 2 and {partitions.MOST}.")
        for table in partitions.TABLES:
            before = partitions.parts_of(table)
            if before == parts:
                self.stdout.write(f"{table}: already so.")
                continue
            try:
                with transaction.atomic():
                    partitions.rebuild(table, parts, tablespace)
            except ProgrammingError as error:
                raise CommandError(f"{table} was left as it is: {error}") from None
            self.stdout.write(f"{table}: {before} partitions before, {parts} now.")
