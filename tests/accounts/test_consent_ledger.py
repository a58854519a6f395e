"""What a member allowed must be provable, and nobody may rewrite it unseen."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import selectors
from accounts.errors import Conflict, NotAllowed, PermissionMissing
from accounts.models import (
    ConsentEvent,
    LinkedAccount,
    User,
)
from accounts.scopes import BASIC_PERMISSION, Scope
from accounts.services import consent, ledger
from tests.support.factories import LinkedAccountFactory
from tests.support.factories import consent as allow


def _grant(account: LinkedAccount, actor: User | None, channel: str = "web") -> ConsentEvent:
    text = consent.current_text(Scope.FOLLOWERS, "de")
    return consent.grant(
        account=account,
        scope=Scope.FOLLOWERS,
        text_hash=text.hash,
        language="de",
        channel=channel,
        actor=actor,
    )


def _as_our_own_code_would(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # TRUNCATE would otherwise stop at the foreign keys that wait for the commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


def _first() -> ledger.Broken | None:
    return next(ledger.verify(), None)


def test_a_grant_records_the_very_text_that_was_shown(alice: User, account: LinkedAccount) -> None:
    event = _grant(account, alice)

    text = consent.current_text(Scope.FOLLOWERS, "de")
    assert (event.text_hash, event.language, event.sequence) == (text.hash, "de", 1)
    assert "Follower" in text.text
    assert selectors.consents_in_force(account) == {Scope.FOLLOWERS}
    assert selectors.consent_in_force(account.pk, Scope.FOLLOWERS)
    assert not selectors.consent_in_force(account.pk, Scope.INSIGHTS)


def test_granting_twice_adds_no_second_entry(alice: User, account: LinkedAccount) -> None:
    assert _grant(account, alice).pk == _grant(account, alice).pk

    assert selectors.consent_history(account).count() == 1


@pytest.mark.parametrize("channel", ["api", "admin", "instagram", "system"])
def test_no_program_and_no_staff_can_consent_for_a_member(
    alice: User, account: LinkedAccount, channel: str
) -> None:
    with pytest.raises(NotAllowed):
        _grant(account, alice, channel)

    assert selectors.consents_in_force(account) == frozenset()


def test_another_member_and_staff_cannot_consent_in_a_session_of_their_own(
    bob: User, stella: User, account: LinkedAccount
) -> None:
    for somebody in (bob, stella, None):
        with pytest.raises(NotAllowed):
            _grant(account, somebody)


def test_consent_to_a_text_that_has_changed_meanwhile_is_not_recorded(
    alice: User, account: LinkedAccount
) -> None:
    with pytest.raises(Conflict) as caught:
        consent.grant(
            account=account,
            scope=Scope.FOLLOWERS,
            text_hash="0" * 64,
            language="en",
            channel="web",
            actor=alice,
        )

    assert caught.value.code == "consent_text_outdated"
    assert not ConsentEvent.objects.exists()


def test_what_instagram_was_not_permitted_cannot_be_granted_here(alice: User) -> None:
    account = LinkedAccountFactory(owner=alice, granted_permissions=[BASIC_PERMISSION])

    with pytest.raises(PermissionMissing):
        allow(account, Scope.INSIGHTS)


def test_a_withdrawal_ends_the_scope_and_stays_in_the_history(
    alice: User, account: LinkedAccount
) -> None:
    _grant(account, alice)

    consent.withdraw(account=account, scope=Scope.FOLLOWERS, channel="api", actor=alice)

    assert selectors.consents_in_force(account) == frozenset()
    assert [each.action for each in selectors.consent_history(account)] == ["withdrawn", "granted"]
    with pytest.raises(Conflict):
        consent.withdraw(account=account, scope=Scope.FOLLOWERS, channel="web", actor=alice)


def test_a_stranger_cannot_withdraw_but_staff_can(
    alice: User, charlie: User, stella: User, account: LinkedAccount
) -> None:
    _grant(account, alice)

    with pytest.raises(NotAllowed):
        consent.withdraw(account=account, scope=Scope.FOLLOWERS, channel="web", actor=charlie)
    consent.withdraw(account=account, scope=Scope.FOLLOWERS, channel="admin", actor=stella)

    assert selectors.consents_in_force(account) == frozenset()


def test_the_member_is_asked_again_when_a_text_changed_in_substance(
    alice: User, account: LinkedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts import consent_texts

    _grant(account, alice)
    assert selectors.consents_outdated(account) == frozenset()
    old = consent_texts.TEXTS[Scope.FOLLOWERS]
    spelling = consent_texts.Version(en="Corrected.", de="Berichtigt.", substantial=False)
    monkeypatch.setitem(consent_texts.TEXTS, Scope.FOLLOWERS, (*old, spelling))
    assert selectors.consents_outdated(account) == frozenset()

    more = consent_texts.Version(en="More than before.", de="Mehr als zuvor.")
    monkeypatch.setitem(consent_texts.TEXTS, Scope.FOLLOWERS, (*old, spelling, more))

    assert selectors.consents_outdated(account) == {Scope.FOLLOWERS}
    assert _grant(account, alice).text_version == len(old) + 2
    assert selectors.consents_outdated(account) == frozenset()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_consentevent SET scope = 'insights'",
        "DELETE FROM accounts_consentevent",
        "TRUNCATE accounts_consentevent",
        "UPDATE accounts_consenttext SET text = 'anything'",
        "DELETE FROM accounts_consenthead",
        "UPDATE accounts_consenthead SET count = count - 1",
        "UPDATE accounts_consenthead SET count = count + 2",
        "TRUNCATE accounts_consenthead",
        "UPDATE accounts_consentregister SET chains = 0",
        "DELETE FROM accounts_consentregister",
    ],
)
def test_the_database_refuses_to_rewrite_the_ledger(
    alice: User, account: LinkedAccount, statement: str
) -> None:
    _grant(account, alice)

    with pytest.raises(DatabaseError, match="only"):
        _as_our_own_code_would(statement)

    assert _first() is None
