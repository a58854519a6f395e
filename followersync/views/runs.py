"""What came of the latest syncs, in the reader's language."""

from __future__ import annotations

from typing import Any

from accounts.models import LinkedAccount
from followersync import selectors
from followersync.models import SyncRun
from followersync.models.run import Mode
from followersync.services.error_words import in_words
from followersync.services.import_words import result_in_words


def latest(account: LinkedAccount, *, count: int) -> list[dict[str, Any]]:
    return [{"run": run, "words": _words(run)} for run in selectors.runs(account)[:count]]


def _words(run: SyncRun) -> list[str]:
    """Empty where the counts say it all."""
    if run.mode == Mode.IMPORT:
        return result_in_words(run)
    if run.state == SyncRun.State.FAILED:
        return [in_words(run.error_code, run.error_detail)]
    return []
