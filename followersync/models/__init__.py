"""Models of followersync: lists, history, change feed, runs, imports, webhooks and settings."""

from __future__ import annotations

from followersync.models.call_budget import CallBudget
from followersync.models.follower import (
    Absence,
    ChangeKind,
    Follower,
    FollowerChange,
    PastFollow,
    Source,
    public_id,
)
from followersync.models.imports import (
    ArchiveImport,
    DailyTotal,
    Demographics,
    InsightsReading,
    WatchedExport,
    WatchedFolder,
)
from followersync.models.run import Mode, SyncRun, Trigger
from followersync.models.scan import FullScan, ScanPage
from followersync.models.settings import SiteReappearance, SyncSettings
from followersync.models.snapshot import FollowerSnapshot
from followersync.models.subscription import WebhookMark, WebhookSubscription
from followersync.models.transfers import TransferredItem

__all__ = [
    "Absence",
    "ArchiveImport",
    "CallBudget",
    "ChangeKind",
    "DailyTotal",
    "Demographics",
    "Follower",
    "FollowerChange",
    "FollowerSnapshot",
    "FullScan",
    "InsightsReading",
    "Mode",
    "PastFollow",
    "ScanPage",
    "SiteReappearance",
    "Source",
    "SyncRun",
    "SyncSettings",
    "TransferredItem",
    "Trigger",
    "WatchedExport",
    "WatchedFolder",
    "WebhookMark",
    "WebhookSubscription",
    "public_id",
]
