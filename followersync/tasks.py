"""Queue tasks; each carries only ids."""

from __future__ import annotations

from accounts import log_context
from accounts.queue import enqueue
from followersync.services import insights
from followersync.services.imports import requests, transfers, watched_folders
from followersync.services.sync import dispatcher, runs, thread_pool
from followersync.services.webhooks import outbound


def tick() -> None:
    """Open due runs and enqueue due jobs; scheduled each minute."""
    dispatcher.tick()
    watched_folders.tick()
    requests.sweep()
    insights.tick()
    outbound.tick()
    transfers.tick()


def advance_run(run_id: int) -> None:
    """Work on one run for a slice; the rest is enqueued again, so that other runs get a turn."""
    with log_context.about(run=run_id):
        advance = requests.advance if requests.is_import(run_id) else runs.advance
        if advance(run_id):
            enqueue(runs.TASK, run_id)


def advance_runs(*run_ids: int) -> None:
    """Work on several runs that fell due together, a slice each."""
    for run_id in thread_pool.advance_all(run_ids):
        enqueue(runs.TASK, run_id)


def look_into_folder(folder_id: int) -> None:
    """Look into a watched folder once."""
    watched_folders.look(folder_id)


def read_insights(account_id: int) -> None:
    """Read an account's daily totals for one turn."""
    insights.read(account_id)


def notify_subscription(subscription_id: int) -> None:
    """Send one webhook subscription its news; the rest is enqueued again."""
    if outbound.notify(subscription_id):
        enqueue(outbound.TASK, subscription_id)


def import_transferred(account_id: int) -> None:
    """Import what a data-transfer tool has pushed, one export at a time."""
    transfers.take(account_id)
