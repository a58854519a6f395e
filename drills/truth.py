"""Compares the site with the sandbox: lists, feeds, losses, unfinished runs."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from drills.member import until

if TYPE_CHECKING:
    from drills.report import Report
    from drills.stage import Stage

#: Seconds between two new followers.
FOLLOW_SECONDS = 0.25
#: After so many new followers every account has fallen due.
ROUND = 24
#: The share of answers that take 0.5 to 3 s, so that a sync is always running.
SLOW = 0.03
WELL_SECONDS = 240.0


def differing(stage: Stage) -> list[str]:
    """The accounts whose list differs from Instagram's; all if either is away."""
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
    """While the block runs, people begin to follow, and each account falls due every 6 seconds."""
    ending = threading.Event()
    stage.sandbox.faults(slow=SLOW)
    thread = threading.Thread(target=_live, args=(stage, random.Random(seed), ending), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(30)
        stage.sandbox.faults()


def _live(stage: Stage, rng: random.Random, ending: threading.Event) -> None:
    from django.db import Error, close_old_connections, connections

    from followersync.services.sync import dispatcher

    for step in itertools.count():
        if ending.wait(FOLLOW_SECONDS):
            break
        due = stage.accounts[step % ROUND :: ROUND]
        try:
            close_old_connections()
            if due:
                stage.sandbox.change(rng.choice(due).instagram_id, follow=1)
                fall_due(*(account.pk for account in due))
                # The queue does so once a minute.
                dispatcher.open_due()
        except (Error, OSError, _unreachable()):
            continue  # the drill's fault: nobody can follow, or nothing can be written
    connections.close_all()


def fall_due(*account_ids: int) -> None:
    """Make these accounts due, so that the next tick opens a sync."""
    from accounts import clock
    from followersync.models import SyncSettings

    SyncSettings.objects.filter(pk__in=account_ids).update(next_due_at=clock.now(), not_before=None)


def settle(
    stage: Stage,
    report: Report,
    since: float | None = None,
    name: str = "lists equal after the last change",
) -> None:
    """Let every account fall due until all is right, and report what is not.

    `since`: a moment of `time.monotonic`, from which the time is measured.
    """
    from django.db import close_old_connections

    since = time.monotonic() if since is None else since
    close_old_connections()
    if until(lambda: _is_right(stage), WELL_SECONDS, pause=1.0) is None:
        report.lost += [f"the list of @{name} differs" for name in differing(stage)]
        report.must(not open_runs(), f"runs stay open: {open_runs()}")
    report.took[name] = time.monotonic() - since
    report.lost += wrong(stage)


def _is_right(stage: Stage) -> bool:
    """Accounts that differ fall due again: an open run may have read the earlier list."""
    left = differing(stage)
    fall_due(*(account.pk for account in stage.accounts if account.username in left))
    return not left and not open_runs()


def open_runs(among: list[int] | None = None) -> list[str]:
    """The runs that have not ended, of all accounts or of these."""
    from followersync.models import SyncRun

    found = SyncRun.objects.filter(state__in=SyncRun.OPEN)
    return [str(run) for run in (found if among is None else found.filter(pk__in=among))]


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


def next_syncs(stage: Stage, since: float) -> Iterator[float | None]:
    """Yields when a sync that began now was finished, and then when each account had one.

    Both in seconds after `since` (time.monotonic); None: not within WELL_SECONDS.
    """
    from accounts import clock

    if until(_answered, WELL_SECONDS) is None:
        yield from (None, None)
        return
    now, wanted = clock.now(), {account.pk for account in stage.accounts}
    for done in (lambda: bool(_synced(now)), lambda: wanted <= _synced(now)):
        found = until(done, WELL_SECONDS)
        yield None if found is None else time.monotonic() - since


def _synced(moment: datetime) -> set[int]:
    """The accounts with a sync that began after the moment and is finished."""
    from django.db import Error, close_old_connections

    from followersync.models import SyncRun

    close_old_connections()
    done = SyncRun.objects.filter(state="succeeded", created_at__gt=moment)
    try:
        return set(done.values_list("account_id", flat=True))
    except Error:
        return set()


def _answered() -> bool:
    """Whether the database answers."""
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
