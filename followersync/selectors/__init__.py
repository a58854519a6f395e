"""Reads. All take a linked account that was fetched through its owner."""

from __future__ import annotations

from followersync.selectors.changes import changes_page
from followersync.selectors.followers import follower_history, followers_page
from followersync.selectors.overview import overview, run_of, runs
from followersync.selectors.series import digest, growth, snapshots
from followersync.selectors.values import (
    ChangePage,
    ChangeRow,
    Digest,
    FollowerHistory,
    FollowerPage,
    FollowerRow,
    GrowthPoint,
    Interval,
    Overview,
)

__all__ = [
    "ChangePage",
    "ChangeRow",
    "Digest",
    "FollowerHistory",
    "FollowerPage",
    "FollowerRow",
    "GrowthPoint",
    "Interval",
    "Overview",
    "changes_page",
    "digest",
    "follower_history",
    "followers_page",
    "growth",
    "overview",
    "run_of",
    "runs",
    "snapshots",
]
