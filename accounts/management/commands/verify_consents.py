"""`manage.py verify_consents`: verify the consent ledger."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import ledger


class Command(BaseCommand):
    help = (
        "Checks the consent ledger: every entry, every chain's end, and that no chain is missing. "
        "Names the first broken entry and exits with 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchor",
            type=Path,
            metavar="FILE",
            help="compare with the state noted in FILE by an earlier check, then note this one: "
            "kept on another machine, it shows a ledger that was set back as a whole",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        broken = next(ledger.verify(), None)
        if broken is not None:
            raise CommandError(f"The consent ledger is broken. {broken}.")
        state = ledger.state()
        if options["anchor"]:
            self._compare(options["anchor"], state)
        self.stdout.write(
            f"The consent ledger is whole: {state.entries} entries in {state.chains} chains."
        )

    def _compare(self, path: Path, state: ledger.State) -> None:
        if path.exists():
            try:
                before = ledger.State(**json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError):
                raise CommandError(f"{path} holds no state of a ledger.") from None
            if state.chains < before.chains or state.entries < before.entries:
                raise CommandError(
                    f"The consent ledger was set back: it had {before.entries} entries in "
                    f"{before.chains} chains, and has {state.entries} in {state.chains}."
                )
        path.write_text(json.dumps(state.__dict__) + "\n", encoding="utf-8")
