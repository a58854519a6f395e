"""PostgreSQL is away for a minute (--seconds, 60), longer than any wait."""

from __future__ import annotations

from drills.cases import postgres_restart
from drills.report import Report
from drills.stage import Options


def run(options: Options) -> Report:
    """Everything must continue by itself."""
    return postgres_restart.away(options, options.seconds or 60.0)
