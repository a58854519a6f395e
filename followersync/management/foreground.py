"""Foreground runs: a command works on a run, or waits for its worker, until the run is closed."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from accounts import clock
from accounts.errors import NotFound, WaitUntil
from followersync.errors import SyncRunning
from followersync.models import FollowerSnapshot, SyncRun
from followersync.services.imports import requests
from followersync.services.sync import runs
from followersync.texts.errors import in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    Watch = Callable[[dict[str, int | None]], None]

POLL_SECONDS = 0.5
#: Longer waits are left to the queue, so that no terminal hangs for an hour.
LONGEST_WAIT = timedelta(minutes=1)


def open_when_free(request: Callable[[], SyncRun], *, watch: Watch | None = None) -> SyncRun:
    """The run that `request` opens, once no other run of the account is open.

    Raises what `request` and `follow` raise, SyncRunning excepted.
    """
    while True:
        try:
            return request()
        except SyncRunning as running:
            other = running.run
        try:
            follow(other, watch=watch)
        except WaitUntil as waits:
            why = f"Another run of this account is open. {waits.detail}"
            raise WaitUntil(waits.at, why) from None


def follow(run: SyncRun, *, watch: Watch | None = None) -> None:
    """Work on the run, or wait for the worker that has it, until it is closed.

    The queue may have taken it first; if its worker dies, this process continues. Raises WaitUntil
    where the run pauses for long (the queue continues it), NotFound where it was erased.
    """
    advance = requests.advance if requests.is_import(run.pk) else runs.advance
    while True:
        more = advance(run.pk, watch=watch)
        try:
            run.refresh_from_db()
        except SyncRun.DoesNotExist:
            raise NotFound from None
        if not run.is_open:
            return
        if not more:
            _pause(run, watch)


def _pause(run: SyncRun, watch: Watch | None) -> None:
    if watch is not None and run.progress:
        watch(run.progress)
    if run.not_before is None:
        time.sleep(POLL_SECONDS)
        return
    left = timedelta(seconds=clock.real_seconds(run.not_before - clock.now()))
    if left > LONGEST_WAIT:
        why = in_words(run.error_code)
        raise WaitUntil(run.not_before, f"{why} Not before {run.not_before:%H:%M} UTC.")
    time.sleep(min(POLL_SECONDS, max(0.0, left.total_seconds())))


def unconfirmed(run: SyncRun) -> int:
    """How many people the closed run did not see, without proof that they left."""
    found = FollowerSnapshot.objects.filter(account_id=run.account_id, run_id=run.pk)
    return found.values_list("unconfirmed", flat=True).first() or 0
