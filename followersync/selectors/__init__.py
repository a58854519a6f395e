"""Reads. Each takes a linked account that was fetched through its owner."""

from __future__ import annotations

from followersync.selectors.answers import (
    ChangeRow,
    FollowerRow,
    GrowthPoint,
    Overview,
)
from followersync.selectors.changes import changes_page, latest_changes
from followersync.selectors.followers import follower_history, followers_page
from followersync.selectors.overview import expected, overview, run_of, runs
from followersync.selectors.series import (
    daily_counts,
    digest,
    growth,
    looks,
    newest_snapshot,
    snapshots,
)

__all__ = [
    "ChangeRow",
    "FollowerRow",
    "GrowthPoint",
    "Overview",
    "changes_page",
    "daily_counts",
    "digest",
    "expected",
    "follower_history",
    "followers_page",
    "growth",
    "latest_changes",
    "looks",
    "newest_snapshot",
    "overview",
    "run_of",
    "runs",
    "snapshots",
]
