"""Linking: whose account it is, what is restored, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount

from accounts import selectors
from accounts.errors import Conflict, InvalidInput, NotFound, PermissionMissing
from accounts.instagram.gateway import LongLivedToken, Profile
from accounts.models import AccessToken, ConsentEvent, DeletionRequest, LinkedAccount, User
from accounts.scopes import BASIC_PERMISSION, INSIGHTS_PERMISSION, Scope
from accounts.services import consent, ledger, linking, tokens
from tests.support.clock import Clock
from tests.support.factories import consent as allow

ALL = frozenset({BASIC_PERMISSION, INSIGHTS_PERMISSION})
BIG_ID = "17841499999999999"


def profile(username: str = "ada", user_id: str = BIG_ID) -> Profile:
    return Profile(
        id="24" + user_id[2:],
        user_id=user_id,
        username=username,
    )


def link(owner: User, who: Profile | None = None, token: str = "IGAA-first") -> LinkedAccount:
    return linking.link_from_oauth(
        owner=owner,
        profile=who or profile(),
        token=LongLivedToken(token, 5_184_000),
        permissions=ALL,
    )


def pending(owner_language: str = "en", *scopes: Scope, **more: Any) -> dict[str, Any]:
    shown = {scope.value: consent.current_text(scope, owner_language).hash for scope in scopes}
    return linking.begin(shown=shown, language=owner_language, **more)


def complete(owner: User, ticked: dict[str, Any], permissions: frozenset[str] = ALL, **who: str):
    return linking.complete(
        owner=owner,
        profile=profile(**who),
        token=LongLivedToken("IGAA-second", 5_184_000),
        permissions=permissions,
        pending=ticked,
    )


def test_both_of_instagrams_ids_are_kept_as_they_were_written(alice: User) -> None:
    account = link(alice)

    assert (account.instagram_id, account.app_scoped_id) == (BIG_ID, "24841499999999999")
    assert account.state == "active"
    assert account.is_proven


def test_the_token_is_nowhere_in_clear(alice: User) -> None:
    account = link(alice, token="IGAA-very-secret")

    stored = AccessToken.objects.get(account=account)
    assert "IGAA" not in stored.ciphertext
    assert tokens.usable_token(account.pk) == "IGAA-very-secret"


def test_one_member_links_several_accounts(alice: User) -> None:
    link(alice)
    link(alice, profile("second", "17841400000000002"))

    assert [each.username for each in selectors.accounts_of(alice)] == ["ada", "second"]


def test_an_account_of_another_member_is_refused_and_stays_theirs(alice: User, bob: User) -> None:
    account = link(alice)

    with pytest.raises(Conflict) as caught:
        link(bob, token="IGAA-bob")

    assert caught.value.code == "linked_elsewhere"
    assert tokens.usable_token(account.pk) == "IGAA-first"
    assert not selectors.accounts_of(bob).exists()
    assert SocialAccount.objects.get(uid=BIG_ID).user_id == alice.pk


def test_a_sign_in_that_belongs_to_another_member_is_not_taken_over(alice: User, bob: User) -> None:
    SocialAccount.objects.create(provider="instagram", uid=BIG_ID, user=bob)

    with pytest.raises(Conflict):
        link(alice)

    assert not LinkedAccount.objects.exists()


def test_without_the_basic_permission_nothing_is_linked(alice: User) -> None:
    with pytest.raises(PermissionMissing):
        complete(alice, pending("en", Scope.FOLLOWERS), frozenset({INSIGHTS_PERMISSION}))

    assert not LinkedAccount.objects.exists()


def test_only_what_was_ticked_here_and_permitted_there_is_granted(alice: User) -> None:
    ticked = pending("de", Scope.FOLLOWERS, Scope.INSIGHTS)

    linked = complete(alice, ticked, frozenset({BASIC_PERMISSION}))

    assert linked.refused == {Scope.INSIGHTS}
    assert selectors.consents_in_force(linked.account) == {Scope.FOLLOWERS}
    assert selectors.consent_history(linked.account).get().language == "de"


def test_only_the_permissions_of_ticked_scopes_are_asked_for(alice: User) -> None:
    assert linking.permissions_asked(None) == {BASIC_PERMISSION}
    assert linking.permissions_asked(pending("en", Scope.FOLLOWERS)) == {BASIC_PERMISSION}
    assert linking.permissions_asked(pending("en", Scope.INSIGHTS)) == ALL


def test_a_text_that_is_not_the_one_in_force_is_refused_before_the_way_to_instagram() -> None:
    with pytest.raises(InvalidInput):
        linking.begin(shown={"everything": "0" * 64}, language="en")


@pytest.mark.django_db
def test_a_stale_text_is_refused_before_the_way_to_instagram() -> None:
    german = consent.current_text(Scope.FOLLOWERS, "de").hash

    with pytest.raises(Conflict, match="consent_text_outdated"):
        linking.begin(shown={"followers": german}, language="en")


def test_reconnecting_replaces_the_token_and_clears_the_alarm(alice: User) -> None:
    account = link(alice)
    allow(account, Scope.FOLLOWERS)
    assert linking.mark_needs_reconnect(account=account, reason="expired")
    assert not linking.mark_needs_reconnect(account=account, reason="expired")

    linked = complete(alice, pending(account=account))

    assert (linked.how, linked.account.pk) == ("reconnected", account.pk)
    assert linked.account.state == "active"
    assert tokens.usable_token(account.pk) == "IGAA-second"
    assert selectors.consents_in_force(account) == {Scope.FOLLOWERS}


def test_a_good_token_is_never_overwritten_by_an_empty_one(alice: User) -> None:
    account = link(alice)

    for empty in (LongLivedToken("", 5_184_000), LongLivedToken("IGAA-dead", 0)):
        with pytest.raises(Exception, match="needs_reconnect"):
            tokens.store(account=account, token=empty)

    assert tokens.usable_token(account.pk) == "IGAA-first"


def test_reconnecting_as_somebody_else_at_instagram_changes_nothing(alice: User) -> None:
    account = link(alice)

    with pytest.raises(Conflict, match="wrong_account"):
        complete(alice, pending(account=account), username="eve", user_id="17841400000000666")

    assert LinkedAccount.objects.count() == 1
    assert tokens.usable_token(account.pk) == "IGAA-first"


def test_unlinking_destroys_the_token_and_ends_every_consent_at_once(alice: User) -> None:
    account = link(alice)
    allow(account, Scope.PROFILE, Scope.FOLLOWERS)

    deletion = linking.unlink(account=account, erase="now", channel="web", actor=alice)

    assert deletion.state == DeletionRequest.State.REQUESTED
    assert not AccessToken.objects.exists()
    assert selectors.consents_in_force(account) == frozenset()
    assert not selectors.accounts_of(alice).exists()
    with pytest.raises(Conflict, match="already_unlinked"):
        linking.unlink(account=account, erase="now", channel="web", actor=alice)


def test_linking_again_within_the_grace_period_restores_the_very_account(
    alice: User, clock: Clock
) -> None:
    account = link(alice)
    deletion = linking.unlink(account=account, erase="after_grace", channel="web", actor=alice)
    assert [each.state for each in selectors.accounts_of(alice)] == ["unlinked"]
    clock.advance(days=29)

    linked = complete(alice, pending("en", Scope.FOLLOWERS))

    assert (linked.how, linked.account.pk) == ("restored", account.pk)
    deletion.refresh_from_db()
    assert deletion.state == DeletionRequest.State.CANCELLED
    assert selectors.account_of(alice, account.pk).state == "active"
    assert next(ledger.verify(), None) is None


def test_keeping_data_for_the_grace_period_is_a_grant_in_the_ledger(alice: User) -> None:
    account = link(alice)
    allow(account, Scope.FOLLOWERS)

    linking.unlink(account=account, erase="after_grace", channel="web", actor=alice)

    entries = selectors.consent_history(account).values_list("scope", "action", "keep_data")
    assert list(entries) == [
        ("grace", "granted", False),
        ("followers", "withdrawn", True),
        ("followers", "granted", False),
    ]


def test_after_the_grace_period_it_is_a_new_account(alice: User, clock: Clock) -> None:
    account = link(alice)
    linking.unlink(account=account, erase="after_grace", channel="web", actor=alice)
    clock.advance(days=30, seconds=1)

    assert link(alice).pk != account.pk
    with pytest.raises(NotFound):
        selectors.account_of(alice, account.pk)


def test_what_one_member_left_another_may_link_anew(alice: User, bob: User) -> None:
    account = link(alice)
    linking.unlink(account=account, erase="now", channel="web", actor=alice)
    SocialAccount.objects.all().delete()  # as the erasure does

    assert link(bob).owner_id == bob.pk


def test_signing_in_never_undoes_an_unlinking(alice: User) -> None:
    account = link(alice)
    linking.unlink(account=account, erase="after_grace", channel="web", actor=alice)

    came_back = linking.sign_in(
        owner=alice,
        profile=profile(),
        token=LongLivedToken("IGAA-third", 5_184_000),
        permissions=ALL,
        signing_up=False,
    )

    assert came_back is None
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(("dead", "kept"), [(False, "IGAA-first"), (True, "IGAA-third")])
def test_a_plain_sign_in_heals_a_dead_link_and_never_narrows_a_live_one(
    alice: User, dead: bool, kept: str
) -> None:
    account = link(alice)
    if dead:
        linking.mark_needs_reconnect(account=account, reason="expired")

    linking.sign_in(
        owner=alice,
        profile=profile(),
        token=LongLivedToken("IGAA-third", 5_184_000),
        permissions=frozenset({BASIC_PERMISSION}),
        signing_up=False,
    )

    assert tokens.usable_token(account.pk) == kept


def test_what_belongs_to_another_is_not_there(bob: User, account: LinkedAccount) -> None:
    for number in (account.pk, 0, -1, 2**63, 2**200):
        with pytest.raises(NotFound):
            selectors.account_of(bob, number)


def test_every_grant_names_its_channel(alice: User) -> None:
    complete(alice, pending("en", Scope.PROFILE) | {"channel": "demo"})

    assert ConsentEvent.objects.get().channel == "demo"


def test_the_grace_period_is_the_operators(alice: User, clock: Clock, settings: Any) -> None:
    settings.UNLINK_GRACE_DAYS = 7
    account = link(alice)

    deletion = linking.unlink(account=account, erase="after_grace", channel="web", actor=alice)

    assert deletion.not_before == clock() + timedelta(days=7)
