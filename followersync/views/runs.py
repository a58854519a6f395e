"""Results of the latest runs, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from followersync.models import SyncRun
from followersync.models.run import Mode, Trigger
from followersync.texts.errors import in_words
from followersync.texts.imports import result_in_words


def with_words(runs: Iterable[SyncRun]) -> list[dict[str, Any]]:
    """Each run with its texts and labels; Django's get_FOO_display is slow in a loop."""
    return [
        {
            "run": run,
            "words": _words(run),
            "mode": Mode(run.mode).label,
            "trigger": Trigger(run.trigger).label,
            "state": SyncRun.State(run.state).label,
        }
        for run in runs
    ]


def _words(run: SyncRun) -> list[str]:
    """Empty where the counts are sufficient."""
    if run.mode == Mode.IMPORT:
        return result_in_words(run)
    if run.state == SyncRun.State.FAILED:
        return [in_words(run.error_code, run.error_detail)]
    return []
