"""`manage.py verify_receipt FILE`: verify an erasure receipt offline, with public keys only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import InvalidInput
from accounts.services import receipts


class Command(BaseCommand):
    """Exits with 1 unless the receipt is genuine."""

    help = "Checks the signature of a deletion receipt, and with a salt whose data it was."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the receipt, as downloaded")
        parser.add_argument(
            "--keys",
            type=Path,
            help="public keys, saved from /.well-known/threadsite-receipt-keys.json "
            "(default: the keys of this site's RECEIPT_KEYS)",
        )
        parser.add_argument("--salt", help="the salt that the member was shown")
        parser.add_argument(
            "--subject",
            action="append",
            default=[],
            help="whose receipt it is said to be: instagram:<id>, name:<username> or "
            "member:<name>; repeated for several accounts",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        keys = _read(options["keys"]) if options["keys"] else receipts.public_keys()
        try:
            receipt = receipts.verify(_read(options["file"]), keys)
        except InvalidInput as error:
            raise CommandError(str(error.detail)) from None
        self.stdout.write(
            f"Genuine: erasure {receipt['code']} of {receipt['of']}, completed "
            f"{receipt['completed_at']}, {receipt['rows']} rows erased, "
            f"{receipt['residue']['rows']} left; signed with key {receipt['key']}."
        )
        if options["salt"]:
            self._check_subject(receipt, options["salt"], options["subject"])

    def _check_subject(self, receipt: dict[str, Any], salt: str, subjects: list[str]) -> None:
        committed = (receipt["commitment"] or {}).get("value")
        if committed != receipts.commitment(salt, subjects):
            raise CommandError(
                "The salt and the subjects given are not those that this receipt commits to."
            )
        self.stdout.write(f"It is the receipt of {', '.join(sorted(subjects))}.")


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise CommandError(f"{path} is no JSON.") from None
    if not isinstance(document, dict):
        raise CommandError(f"{path} holds no JSON object.")
    return document
