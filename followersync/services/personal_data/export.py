"""Data export: what is stored about a member's follower lists, streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from accounts import registry
from followersync.models import (
    Absence,
    ArchiveImport,
    Demographics,
    Follower,
    FollowerChange,
    FollowerSnapshot,
    PastFollow,
    Source,
    SyncRun,
    SyncSettings,
    TransferredItem,
    WatchedExport,
    WatchedFolder,
    WebhookSubscription,
    public_id,
)

if TYPE_CHECKING:
    from accounts.models import LinkedAccount

CHUNK = 2000


def register() -> None:
    registry.register_exporter("followers", followers)
    registry.register_exporter("past_follows", past_follows)
    registry.register_exporter("changes", changes)
    registry.register_exporter("snapshots", snapshots)
    registry.register_exporter("sync_runs", runs)
    registry.register_exporter("sync_settings", settings)
    registry.register_exporter("imports", imports)
    registry.register_exporter("watched_folder", watched_folder)
    registry.register_exporter("watched_exports", watched_exports)
    registry.register_exporter("transferred_files", transferred)
    registry.register_exporter("demographics", demographics)
    registry.register_owner_exporter("webhooks", webhooks)


def webhooks(owner_id: int) -> Iterator[dict[str, Any]]:
    """Without their secrets, which were shown once when they were made."""
    for row in WebhookSubscription.objects.filter(owner_id=owner_id).order_by("pk"):
        yield {
            "url": row.url,
            "created_at": row.created_at,
            "last_delivered_at": row.last_delivered_at,
            "disabled_at": row.disabled_at,
        }


def followers(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    absent = dict(
        Absence.objects.filter(account_id=account.pk).values_list("key", "unconfirmed_since")
    )
    rows = Follower.objects.filter(account_id=account.pk).order_by("-place", "-key")
    for row in rows.iterator(CHUNK):
        yield {
            "id": public_id(row.key),
            "username": row.username,
            "since": row.since,
            "first_seen_at": row.first_seen_at,
            "source": Source(row.source).label,
            "unconfirmed_since": absent.get(row.key),
        }


def past_follows(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    rows = PastFollow.objects.filter(account_id=account.pk).order_by("key", "valid_to")
    for row in rows.iterator(CHUNK):
        yield {
            "id": public_id(row.key),
            "username": row.username,
            "since": row.since,
            "valid_from": row.valid_from,
            "valid_to": row.valid_to,
            "source": Source(row.source).label,
            "evidence": row.evidence,
        }


def changes(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    rows = FollowerChange.objects.filter(account_id=account.pk).order_by("position")
    for row in rows.iterator(CHUNK):
        yield {
            "position": row.position,
            "kind": row.kind,
            "at": row.at,
            "id": public_id(row.key),
            "username": row.username,
            "previous_username": row.previous_username,
        }


def snapshots(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    rows = FollowerSnapshot.objects.filter(account=account).order_by("at")
    left_out = {"_state", "id", "account_id"}
    for row in rows.iterator(CHUNK):
        yield {name: value for name, value in vars(row).items() if name not in left_out}


def runs(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    names = (
        "trigger", "mode", "state", "created_at", "started_at", "finished_at", "pages", "calls",
        "gained", "found", "lost", "returned", "renamed", "error_code", "error_detail",
    )  # fmt: skip
    yield from SyncRun.objects.filter(account=account).order_by("id").values(*names).iterator(CHUNK)


def settings(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    names = ("interval_minutes", "baseline_at", "last_synced_at", "complete", "followers_count")
    yield from SyncSettings.objects.filter(account=account).values(*names)


def imports(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    """The archives that came, and their results; the people are in `followers`."""
    names = (
        "created_at", "channel", "file_name", "size", "dialect", "approximate", "exported_on",
        "spoke_from", "spoke_until", "people", "kind", "reasons", "identified", "redated",
        "nameless", "owner_confirmed", "question", "stated_owner", "kept_until",
    )  # fmt: skip
    rows = ArchiveImport.objects.filter(account=account).order_by("id")
    yield from _plain(rows.values(*names))


def watched_folder(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    """The watched folder without its credentials."""
    names = ("url", "created_at", "looked_at", "next_look_at", "failures", "error_code")
    yield from _plain(WatchedFolder.objects.filter(account=account).values(*names))


def watched_exports(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    rows = WatchedExport.objects.filter(account=account).order_by("id")
    yield from _plain(rows.values("path", "taken_at", "error_code"))


def transferred(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    """Files pushed by data-transfer tools."""
    rows = TransferredItem.objects.filter(account=account).order_by("id")
    yield from _plain(rows.values("path", "size", "received_at", "error_code"))


def demographics(account: LinkedAccount) -> Iterator[dict[str, Any]]:
    rows = Demographics.objects.filter(account=account).order_by("breakdown")
    yield from _plain(rows.values("breakdown", "values", "read_at"))


def _plain(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Rows with known fields as plain dicts."""
    for row in rows:
        yield dict(row)
