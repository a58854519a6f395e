"""A token that is not refreshed in time is dead for good, and the member must link again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from accounts import crypto, tasks
from accounts.errors import NeedsReconnect
from accounts.models import AccessToken, DeletionRequest, LinkedAccount, User
from accounts.services import linking, tokens
from tests.support.clock import Clock
from tests.support.factories import AccessTokenFactory, LinkedAccountFactory
from tests.support.sandbox import Sandbox


@pytest.fixture
def held(alice: User, clock: Clock, sandbox: Sandbox) -> AccessToken:
    """Ada's account of Alice's, with a token that Instagram knows and that is due."""
    from accounts.instagram import gateway

    short = gateway.from_settings().exchange_code(
        sandbox.code("ada"), "http://testserver/auth/instagram/login/callback/"
    )
    long = gateway.from_settings().long_lived(short.access_token)
    account = LinkedAccountFactory(owner=alice, username="ada", instagram_id=sandbox.id_of("ada"))
    tokens.store(account=account, token=long)
    clock.advance(days=50)
    sandbox.advance(50 * 86_400)
    return AccessToken.objects.get(account=account)


def test_a_token_is_replaced_well_before_it_expires(held: AccessToken, clock: Clock) -> None:
    before = tokens.usable_token(held.account_id)
    assert tokens.refresh_due() == [held.account_id]

    assert tokens.refresh(held.account_id)

    assert tokens.usable_token(held.account_id) != before
    held.refresh_from_db()
    assert held.refreshed_at == clock()
    assert held.expires_at > clock() + timedelta(days=59)
    assert tokens.refresh_due() == []


def test_a_token_younger_than_a_day_is_left_alone(
    alice: User, clock: Clock, sandbox: Sandbox
) -> None:
    account = LinkedAccountFactory(owner=alice)
    AccessTokenFactory(account=account, expires_at=clock() + timedelta(days=3))
    assert tokens.refresh_due() == []
    assert not tokens.refresh(account.pk)
    assert sandbox.count("refresh") == 0

    clock.advance(hours=24)

    assert tokens.refresh_due() == [account.pk]


def test_accounts_linked_on_one_day_are_not_refreshed_on_one_day(alice: User, clock: Clock) -> None:
    for _ in range(14):
        AccessTokenFactory(account=LinkedAccountFactory(owner=alice))
    due = []
    for _ in range(60):
        clock.advance(days=1)
        due.append(len(tokens.refresh_due()))

    assert max(due) == 14
    assert {due.count(number) for number in (2, 4, 6, 8, 10, 12)} == {1}
    assert due.index(14) <= 47


def test_of_two_refreshes_one_asks_instagram(held: AccessToken, sandbox: Sandbox) -> None:
    """The second comes while the first is under way: it sees another version and stops."""
    AccessToken.objects.filter(pk=held.pk).update(version=held.version + 1)
    stale = AccessToken.objects.filter(pk=held.pk, version=held.version)

    assert stale.update(version=99) == 0
    assert tokens.refresh(held.account_id)
    assert not tokens.refresh(held.account_id)
    assert sandbox.count("refresh") == 1


def test_a_token_got_by_reconnecting_is_not_overwritten_by_a_refresh_under_way(
    held: AccessToken, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The member reconnects between the request and its answer."""
    from accounts.instagram.gateway import Gateway, LongLivedToken

    truly = Gateway.refresh

    def and_meanwhile(self: Gateway, access_token: str) -> LongLivedToken:
        fresh = truly(self, access_token)
        tokens.store(account=held.account, token=LongLivedToken("IGAA-by-hand", 5_184_000))
        return fresh

    monkeypatch.setattr(Gateway, "refresh", and_meanwhile)

    assert not tokens.refresh(held.account_id)
    assert tokens.usable_token(held.account_id) == "IGAA-by-hand"


def test_a_token_destroyed_during_a_refresh_stays_destroyed(
    held: AccessToken, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.instagram.gateway import Gateway, LongLivedToken

    truly = Gateway.refresh

    def and_meanwhile(self: Gateway, access_token: str) -> LongLivedToken:
        fresh = truly(self, access_token)
        linking.unlink(account=held.account, erase="now", channel="web", actor=alice)
        return fresh

    monkeypatch.setattr(Gateway, "refresh", and_meanwhile)

    assert not tokens.refresh(held.account_id)
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [
        {"fault": "http_500"},
        {"fault": "service_error"},
        {"fault": "truncated_json"},
        {"fault": "dropped"},
        {"fault": "rate_limited"},
        {"body": {"surprise": True}},
    ],
)
def test_a_passing_error_disconnects_nobody(
    held: AccessToken, sandbox: Sandbox, answer: dict[str, Any]
) -> None:
    sandbox.script([answer], route="refresh")

    assert not tasks.refresh_token(held.account_id)

    held.account.refresh_from_db()
    assert held.account.state == "active"
    assert crypto.decrypt(held.ciphertext) == tokens.usable_token(held.account_id)
    assert tasks.refresh_token(held.account_id)


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [("docs_190_460", "password_changed"), ("190_463_expired", "expired")],
)
def test_a_dead_token_asks_for_the_member_once(
    held: AccessToken,
    sandbox: Sandbox,
    envelope: str,
    reason: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sandbox.script([{"error": envelope}], route="refresh")

    assert not tasks.refresh_token(held.account_id)

    held.account.refresh_from_db()
    assert held.account.state == "needs_reconnect"
    assert held.account.reconnect_reason == reason
    assert tokens.refresh_due() == []


def test_the_app_removed_at_instagram_is_an_unlinking(held: AccessToken, sandbox: Sandbox) -> None:
    sandbox.revoke(sandbox.id_of("ada"))

    assert not tasks.refresh_token(held.account_id)

    assert LinkedAccount.objects.get(pk=held.account_id).state == "unlinked"
    assert not AccessToken.objects.exists()
    assert DeletionRequest.objects.get().channel == "instagram"


def test_a_token_that_ran_out_is_said_to_be_dead(held: AccessToken, clock: Clock) -> None:
    clock.advance(days=11)
    with pytest.raises(NeedsReconnect, match="needs_reconnect"):
        tokens.usable_token(held.account_id)

    assert tokens.mark_expired() == 1

    held.account.refresh_from_db()
    assert held.account.reconnect_reason == "expired"
    assert tokens.mark_expired() == 0


def test_a_paused_account_keeps_its_link_alive(held: AccessToken, alice: User) -> None:
    linking.pause(account=held.account, actor=alice)

    assert tokens.refresh_due() == [held.account_id]


def test_the_batch_rings_one_task_for_each_token_that_is_due(
    held: AccessToken, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as rung:
        assert tasks.refresh_tokens() == 1

    assert len(rung) == 1


def test_the_member_gets_a_mail_with_a_link_to_the_very_account(
    held: AccessToken, settings: Any
) -> None:
    linking.mark_needs_reconnect(account=held.account, reason="expired")

    assert tasks.mail_reconnect_needed(held.account_id)

    (message,) = mail.outbox
    assert message.to == ["alice@example.org"]
    assert f"http://testserver/accounts/{held.account_id}/" in message.body
    assert "@ada" in message.body


def test_nobody_is_told_of_what_was_mended_meanwhile(held: AccessToken) -> None:
    assert not tasks.mail_reconnect_needed(held.account_id)
    assert mail.outbox == []
