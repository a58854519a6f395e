"""Scopes: the purposes a member consents to, and the Instagram permissions each needs. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    PROFILE = "profile"
    FOLLOWERS = "followers"
    INSIGHTS = "insights"
    DISCOVERABLE = "discoverable"


# Keeping the data for a while after unlinking: granted then and recorded in the ledger like a
# scope, but no purpose by which data may be used.
GRACE: Final = "grace"

BASIC_PERMISSION: Final = "instagram_business_basic"
INSIGHTS_PERMISSION: Final = "instagram_business_manage_insights"

_NEEDED: Final[dict[Scope, frozenset[str]]] = {
    Scope.PROFILE: frozenset({BASIC_PERMISSION}),
    Scope.FOLLOWERS: frozenset({BASIC_PERMISSION}),
    Scope.INSIGHTS: frozenset({BASIC_PERMISSION, INSIGHTS_PERMISSION}),
    Scope.DISCOVERABLE: frozenset(),
}


def permissions_needed(scope: Scope) -> frozenset[str]:
    """Instagram's permissions required for `scope`.

    Source of the names: Meta, "Instagram API with Instagram Login", Business Login.
    """
    return _NEEDED[scope]


def permissions_for(scopes: frozenset[Scope]) -> frozenset[str]:
    """The permissions to request from Instagram for `scopes`: never more.

    `instagram_business_basic` is always included, since Instagram's login needs it.
    """
    return frozenset({BASIC_PERMISSION}).union(*(permissions_needed(scope) for scope in scopes))


def usable_scopes(scopes: frozenset[Scope], granted: frozenset[str]) -> frozenset[Scope]:
    """The `scopes` whose permissions are all in `granted`."""
    return frozenset(scope for scope in scopes if permissions_needed(scope) <= granted)
