"""Consent coverage: the calls, tables and columns of this app that each consent covers."""

from __future__ import annotations

from accounts.consent_coverage import ALL, LINKING, all_but, declare, only
from accounts.scopes import Scope

COUNT = "me id,followers_count"
#: The member's own settings, and the identity of the account's feed and digest.
OF_LINKING = ("account_id", "interval_minutes", "epoch", "digest_key")


def register() -> None:
    """Called once, when the app is ready."""
    declare(LINKING, tables={"followersync_syncsettings": only(*OF_LINKING)})
    _list()
    _count()
    declare(
        Scope.INSIGHTS,
        calls=["insights follows_and_unfollows", "insights follower_demographics", COUNT],
        tables={
            "followersync_callbudget": ALL,
            "followersync_dailytotal": ALL,
            "followersync_demographics": ALL,
            "followersync_insightsreading": ALL,
        },
        shows=["daily totals, and who follows by age, city, country and gender"],
    )
    declare(Scope.DISCOVERABLE, shows=["members who follow each other, to one another"])


def _list() -> None:
    """The list, archives, and the count as a check: its last figure and `memory` are kept."""
    whole = (
        "absence", "archiveimport", "callbudget", "follower", "followerchange", "fullscan",
        "pastfollow", "scanpage", "syncrun", "transferreditem", "watchedexport", "watchedfolder",
        "webhookmark",
    )  # fmt: skip
    declare(
        Scope.FOLLOWERS,
        calls=["followers id,username", COUNT],
        tables={
            **{f"followersync_{name}": ALL for name in whole},
            "accounts_keptfile": ALL,
            "followersync_followersnapshot": all_but("reported"),
            "followersync_syncsettings": all_but("interval_minutes", "epoch", "digest_key"),
        },
        shows=["the list, its history and its changes"],
    )


def _count() -> None:
    """Instagram's own count, stored and shown; where the list is not allowed, runs that read it."""
    declare(
        Scope.PROFILE,
        calls=[COUNT],
        tables={
            "followersync_callbudget": ALL,
            "followersync_followersnapshot": only(
                "id", "account_id", "run_id", "at", "mode", "reported"
            ),
            "followersync_syncrun": all_but(
                "pages", "gained", "found", "lost", "returned", "renamed", "progress"
            ),
            "followersync_syncsettings": only(
                "account_id", "reported", "next_due_at", "woken_at", "not_before", "failures",
                "last_synced_at",
            ),
        },
        shows=["Instagram's own count, now and over time"],
    )  # fmt: skip
