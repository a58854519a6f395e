"""What the queue calls; each carries nothing but ids."""

from __future__ import annotations

from accounts import log_context
from accounts.queue import enqueue
from followersync.services import insights
from followersync.services.imports import requests, transfers, watched_folders
from followersync.services.sync import dispatcher, runs, thread_pool
from followersync.services.webhooks import outbound


def tick() -> None:
    """Scheduled each minute."""
    dispatcher.tick()
    watched_folders.tick()
    requests.sweep()
    insights.tick()
    outbound.tick()
    transfers.tick()


def advance_run(run_id: int) -> None:
    """A slice of one run; what remains is enqueued again, so that others get their turn."""
    with log_context.about(run=run_id):
        advance = requests.advance if requests.is_import(run_id) else runs.advance
        if advance(run_id):
            enqueue(runs.TASK, run_id)


def advance_runs(*run_ids: int) -> None:
    """A slice of each of several syncs that fell due together."""
    for run_id in thread_pool.advance_all(run_ids):
        enqueue(runs.TASK, run_id)


def look_into_folder(folder_id: int) -> None:
    """Look once into a watched folder."""
    watched_folders.look(folder_id)


def read_insights(account_id: int) -> None:
    """One turn of one account's daily totals."""
    insights.read(account_id)


def tell_subscriber(subscription_id: int) -> None:
    """Tell one webhook what is new; what remains is enqueued again."""
    if outbound.tell(subscription_id):
        enqueue(outbound.TASK, subscription_id)


def take_transferred(account_id: int) -> None:
    """Import what a data-transfer tool has pushed, one export at a time."""
    transfers.take(account_id)
