"""Finds or creates the row of a proven Instagram account."""

from __future__ import annotations

from typing import Literal

from allauth.socialaccount.models import SocialAccount
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.errors import Conflict
from accounts.instagram.gateway import Profile
from accounts.models import LinkedAccount, User
from accounts.services import erasure

How = Literal["linked", "reconnected", "restored", "proven"]
PROVIDER = "instagram"


def linked_elsewhere() -> Conflict:
    return Conflict(
        "linked_elsewhere",
        _(
            "This Instagram account is linked to another member here, so nothing was changed. "
            "Sign in as that member and unlink it there first."
        ),
    )


def claim(
    owner: User, profile: Profile, permissions: frozenset[str], expected: LinkedAccount | None
) -> tuple[LinkedAccount, How]:
    """Return the member's row for this Instagram account, updated and saved.

    Raises Conflict if another member has it, or if it is not the `expected` one.
    """
    _check_expected(profile, expected)
    holders = LinkedAccount.objects.select_for_update(no_key=True).filter(
        instagram_id=profile.user_id
    )
    live = holders.filter(unlinked_at__isnull=True).first()
    if live is not None and live.owner_id != owner.pk:
        raise linked_elsewhere()
    _keep_sign_in(owner, profile)
    if live is not None:
        return _update(live, profile, permissions), "reconnected"
    kept = holders.filter(owner=owner, restorable_until__gt=clock.now()).order_by("-pk").first()
    if kept is not None:
        return _restore(kept, profile, permissions), "restored"
    unproven = _unproven(owner, profile, expected)
    if unproven is not None:
        unproven.kind = LinkedAccount.Kind.OAUTH
        return _update(unproven, profile, permissions), "proven"
    account = LinkedAccount(owner=owner, linked_at=clock.now())
    return _update(account, profile, permissions), "linked"


def claimants(account: LinkedAccount) -> list[int]:
    """The ids of other members who added the same name by archive, which proves nothing."""
    return list(
        LinkedAccount.objects.filter(
            kind=LinkedAccount.Kind.ARCHIVE,
            username__iexact=account.username,
            unlinked_at__isnull=True,
        )
        .exclude(owner_id=account.owner_id)
        .values_list("owner_id", flat=True)
        .distinct()
    )


def _check_expected(profile: Profile, expected: LinkedAccount | None) -> None:
    if expected is None:
        return
    same = (
        expected.instagram_id == profile.user_id
        if expected.is_proven
        else expected.username.lower() == profile.username.lower()
    )
    if not same:
        raise Conflict(
            "wrong_account",
            _(
                "At Instagram you were signed in as @%(there)s, but here it is about @%(here)s. "
                "Nothing was changed. Switch the account at Instagram and try again."
            )
            % {"there": profile.username, "here": expected.username},
        )


def _keep_sign_in(owner: User, profile: Profile) -> None:
    """Only the owner of the link can sign in by it."""
    sign_in, _created = SocialAccount.objects.get_or_create(
        provider=PROVIDER,
        uid=profile.user_id,
        defaults={"user": owner, "extra_data": {"username": profile.username}},
    )
    if sign_in.user_id != owner.pk:
        raise linked_elsewhere()


def _restore(
    account: LinkedAccount, profile: Profile, permissions: frozenset[str]
) -> LinkedAccount:
    """Linked again within the grace period: cancel the erasure and keep the history."""
    account.unlinked_at = account.restorable_until = account.paused_at = None
    account.linked_at = clock.now()
    erasure.cancel_scheduled(account=account)
    return _update(account, profile, permissions)


def _unproven(
    owner: User, profile: Profile, expected: LinkedAccount | None
) -> LinkedAccount | None:
    """The member's own archive-only link of the same name, which is now proven."""
    mine = LinkedAccount.objects.select_for_update(no_key=True).filter(
        owner=owner, kind=LinkedAccount.Kind.ARCHIVE, unlinked_at__isnull=True
    )
    if expected is not None:
        return mine.filter(pk=expected.pk).first()
    return mine.filter(username__iexact=profile.username).order_by("pk").first()


def _update(account: LinkedAccount, profile: Profile, permissions: frozenset[str]) -> LinkedAccount:
    account.instagram_id = profile.user_id
    account.app_scoped_id = profile.id
    account.username = profile.username
    account.granted_permissions = sorted(permissions)
    account.needs_reconnect_since = None
    account.reconnect_reason = ""
    # Revoking our access at Instagram ended this too; subscribing again does no harm.
    account.webhooks_since = None
    account.profile_refreshed_at = clock.now()
    account.save()
    return account
