"""Reads. All take a linked account that was fetched through its owner."""

from __future__ import annotations

from followersync.selectors.changes import changes_page
from followersync.selectors.followers import follower_history, followers_page
from followersync.selectors.overview import expected, overview, reported, run_of, runs
from followersync.selectors.series import digest, growth, looks, snapshots
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
    "expected",
    "follower_history",
    "followers_page",
    "growth",
    "looks",
    "overview",
    "reported",
    "run_of",
    "runs",
    "snapshots",
]
