"""Extracts profile, token and permissions from allauth's SocialLogin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.models import SocialLogin
from django.utils import timezone

from accounts import crypto
from accounts.instagram.gateway import LongLivedToken, Profile
from accounts.services.linking import permissions_asked


@dataclass(frozen=True)
class Received:
    """`pending`: what was ticked on the consent page, None after a plain sign-in."""

    profile: Profile
    token: LongLivedToken
    permissions: frozenset[str]
    pending: dict[str, Any] | None


def take(login: SocialLogin) -> Received | None:
    """Remove the token from the login, so that it is stored only once and nowhere else."""
    token = login.token
    if login.account.provider != "instagram" or token is None:
        return None
    login.token = None
    data = login.account.extra_data
    pending = login.state.get("data")
    # Some answers name no permissions: then assume those requested, until a call is refused.
    given = data.pop("permissions", None)
    return Received(
        profile=Profile(
            id=data.get("id"),
            user_id=login.account.uid,
            username=data["username"],
        ),
        token=LongLivedToken(
            access_token=crypto.decrypt(token.token),
            expires_in=int((token.expires_at - timezone.now()).total_seconds()),
        ),
        permissions=permissions_asked(pending) if given is None else frozenset(given),
        pending=pending,
    )
