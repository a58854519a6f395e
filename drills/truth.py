"""What is held against what Instagram has: lists, feeds, losses, runs that nobody finishes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from drills.member import until

if TYPE_CHECKING:
    from drills.report import Report
    from drills.stage import Stage

#: Between two people who begin to follow somebody.
FOLLOW_SECONDS = 0.25
WELL_SECONDS = 240.0


def differing(stage: Stage) -> list[str]:
    """The accounts whose list here is not Instagram's; all of them where either is away."""
    from django.db import Error, close_old_connections

    from tests.support.sync import held, truth

    close_old_connections()
    found = []
    for account in stage.accounts:
        try:
            same = held(account) == truth(stage.sandbox, account)
        except (Error, OSError, _unreachable()):
            same = False
        if not same:
            found.append(str(account.username))
    return found


def _unreachable() -> type[Exception]:
    from urllib3.exceptions import HTTPError

    return HTTPError


@contextmanager
def life(stage: Stage, seed: int = 1) -> Iterator[None]:
    """While the block runs people begin to follow, and each account they follow falls due."""
    ending = threading.Event()
    thread = threading.Thread(target=_live, args=(stage, random.Random(seed), ending), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(30)


def _live(stage: Stage, rng: random.Random, ending: threading.Event) -> None:
    from django.db import Error, close_old_connections, connections

    while not ending.wait(FOLLOW_SECONDS):
        account = rng.choice(stage.accounts)
        try:
            close_old_connections()
            stage.sandbox.change(account.instagram_id, follow=1)
            fall_due(account.pk)
        except (Error, OSError, _unreachable()):
            continue  # whatever the drill has broken: nobody can follow, or nothing can be written
    connections.close_all()


def fall_due(*account_ids: int) -> None:
    """The next tick opens a sync of these accounts."""
    from accounts import clock
    from followersync.models import SyncSettings

    SyncSettings.objects.filter(pk__in=account_ids).update(next_due_at=clock.now(), not_before=None)


def settle(stage: Stage, report: Report, since: float, name: str = "all lists equal") -> None:
    """Let every account fall due once more, wait until all is right, and say what is not.

    `since`: a moment of `time.monotonic`, from which on the time is counted.
    """
    from django.db import close_old_connections

    close_old_connections()
    fall_due(*(account.pk for account in stage.accounts))
    if until(lambda: not differing(stage) and not _open_runs(), WELL_SECONDS) is None:
        report.lost += [f"the list of @{name} differs" for name in differing(stage)]
        report.must(not _open_runs(), f"runs stay open: {_open_runs()}")
    report.took[name] = time.monotonic() - since
    report.lost += wrong(stage)


def _open_runs() -> list[str]:
    from followersync.models import SyncRun

    return [str(run) for run in SyncRun.objects.filter(state__in=SyncRun.OPEN)]


def wrong(stage: Stage) -> list[str]:
    """False losses, gaps in feeds, counts that do not add up, runs that failed."""
    from followersync.models import FollowerChange, SyncRun
    from tests.support.sync import assert_books_agree

    found = []
    losses = FollowerChange.objects.filter(kind="lost").count()
    if losses:
        found.append(f"{losses} people were called lost, and nobody left")
    for account in stage.accounts:
        try:
            assert_books_agree(account)
        except AssertionError:
            found.append(f"count, digest or feed of @{account.username} do not agree")
    bugs = SyncRun.objects.filter(state=SyncRun.State.FAILED).values_list("error_code", flat=True)
    if bugs:
        found.append(f"{len(bugs)} runs failed: {sorted(set(bugs))}")
    return found


def next_sync(since: float, seconds: float = WELL_SECONDS) -> float | None:
    """How many seconds after `since` (time.monotonic) a run that began now was finished."""
    from django.db import Error, close_old_connections

    from accounts import clock
    from followersync.models import SyncRun

    begun = until(_answered, seconds)
    if begun is None:
        return None
    now = clock.now()

    def finished() -> bool:
        close_old_connections()
        try:
            return SyncRun.objects.filter(state="succeeded", created_at__gt=now).exists()
        except Error:
            return False

    return None if until(finished, seconds) is None else time.monotonic() - since


def _answered() -> bool:
    """Whether the database is there."""
    from django.db import Error, close_old_connections, connection

    close_old_connections()
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        connection.close()
        return False
    return True
