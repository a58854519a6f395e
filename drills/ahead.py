"""`manage.py` of a host whose clock is ahead by DRILL_AHEAD_SECONDS.

Python's and Django's present time is moved before anything else is imported; child processes do the
same, since they are started with this script's name.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

AHEAD = float(os.environ["DRILL_AHEAD_SECONDS"])


def main() -> None:
    """Move the clock, then do as `manage.py` does."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from django.utils import timezone

    true_time, true_now = time.time, timezone.now

    def now() -> datetime:
        return true_now() + timedelta(seconds=AHEAD)

    timezone.now = now
    time.time = lambda: true_time() + AHEAD
    from threadsite.__main__ import main as manage

    manage()


if __name__ == "__main__":
    main()
