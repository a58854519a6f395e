"""Somebody with the database's password lifts the triggers; the key they do not have."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import (
    ConsentEvent,
    ConsentHead,
    ConsentRegister,
    ConsentSubject,
    LinkedAccount,
    User,
)
from accounts.scopes import Scope
from accounts.services import ledger, retention
from tests.support.clock import Clock
from tests.support.factories import LinkedAccountFactory
from tests.support.factories import consent as allow


def _execute(statement: str) -> None:
    """As somebody with the database's password would: with the guards lifted."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def _first() -> ledger.Broken | None:
    return next(ledger.verify(), None)


@pytest.fixture(autouse=True)
def chains(alice: User, bob: User, account: LinkedAccount) -> list[LinkedAccount]:
    accounts: list[LinkedAccount] = [
        account,
        *(LinkedAccountFactory(owner=bob) for _ in range(2)),
    ]
    for each in accounts:
        allow(each, Scope.PROFILE, Scope.FOLLOWERS, Scope.INSIGHTS)
    assert _first() is None
    return accounts


def _subject(account: LinkedAccount) -> str:
    return str(account.consent_subject.subject)


def test_an_altered_entry_shows(account: LinkedAccount) -> None:
    _execute(
        "UPDATE accounts_consentevent SET channel = 'admin' "
        f"WHERE subject = '{_subject(account)}' AND sequence = 2"
    )

    broken = _first()
    assert broken is not None
    assert (str(broken.subject), broken.sequence) == (_subject(account), 2)
    assert "altered" in broken.what


def test_a_missing_entry_shows(account: LinkedAccount) -> None:
    _execute(
        f"DELETE FROM accounts_consentevent WHERE subject = '{_subject(account)}' AND sequence = 2"
    )

    broken = _first()
    assert broken is not None
    assert (broken.sequence, broken.what) == (2, "this entry is missing")


def test_a_cut_off_tail_shows(account: LinkedAccount) -> None:
    _execute(
        f"DELETE FROM accounts_consentevent WHERE subject = '{_subject(account)}' AND sequence = 3"
    )

    broken = _first()
    assert broken is not None
    assert broken.sequence == 3


def test_a_cut_off_tail_with_its_head_set_back_shows(account: LinkedAccount) -> None:
    subject = _subject(account)
    _execute(
        f"DELETE FROM accounts_consentevent WHERE subject = '{subject}' AND sequence = 3;"
        "UPDATE accounts_consenthead SET count = 2, mac = (SELECT mac FROM "
        f"accounts_consentevent WHERE subject = '{subject}' AND sequence = 2) "
        f"WHERE subject = '{subject}'"
    )

    broken = _first()
    assert broken is not None
    assert "head was altered" in broken.what


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_chain_dropped_whole_shows(chains: list[LinkedAccount], which: int) -> None:
    subject = _subject(chains[which])
    _execute(
        f"DELETE FROM accounts_consentevent WHERE subject = '{subject}';"
        f"DELETE FROM accounts_consenthead WHERE subject = '{subject}'"
    )

    broken = _first()
    assert broken is not None
    assert broken.what == "the whole chain is missing"


def test_a_dropped_chain_with_the_register_set_back_shows(chains: list[LinkedAccount]) -> None:
    subject = _subject(chains[2])
    _execute(
        f"DELETE FROM accounts_consentevent WHERE subject = '{subject}';"
        f"DELETE FROM accounts_consenthead WHERE subject = '{subject}';"
        "UPDATE accounts_consentregister SET chains = 2"
    )

    broken = _first()
    assert broken is not None
    assert "register" in broken.what


def test_a_chain_rebuilt_with_another_key_shows(account: LinkedAccount, settings: object) -> None:
    right, subject = settings.CONSENT_LEDGER_KEY, account.consent_subject.subject  # type: ignore[attr-defined]
    settings.CONSENT_LEDGER_KEY = "what somebody guessed, which is not the key"  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    for event in ConsentEvent.objects.filter(subject=subject):
        event.mac = ledger._mac_of(event)
        event.save()
    head = ConsentHead.objects.get(subject=subject)
    head.mac = ConsentEvent.objects.filter(subject=subject).latest("sequence").mac
    head.signature = ledger._head_signature(head)
    head.save()
    settings.CONSENT_LEDGER_KEY = right  # type: ignore[attr-defined]

    broken = _first()
    assert broken is not None
    assert broken.subject == subject


def test_the_command_names_the_first_broken_entry_and_fails(account: LinkedAccount) -> None:
    _execute(
        "UPDATE accounts_consentevent SET at = at - interval '1 day' "
        f"WHERE subject = '{_subject(account)}' AND sequence = 1"
    )

    with pytest.raises(CommandError, match="entry 1: was altered"):
        call_command("verify_consents")


def test_a_ledger_set_back_as_a_whole_shows_by_an_anchor_kept_elsewhere(
    chains: list[LinkedAccount], tmp_path: Path
) -> None:
    anchor, out = tmp_path / "anchor.json", StringIO()
    call_command("verify_consents", anchor=anchor, stdout=out)
    assert "9 entries in 3 chains" in out.getvalue()
    assert json.loads(anchor.read_text()) == {"chains": 3, "entries": 9}
    _execute(
        "DELETE FROM accounts_consentevent; DELETE FROM accounts_consenthead;"
        "DELETE FROM accounts_consentregister"
    )

    with pytest.raises(CommandError, match="set back"):
        call_command("verify_consents", anchor=anchor, stdout=out)


def test_entries_outlive_the_member_for_the_time_the_policy_states_and_no_longer(
    chains: list[LinkedAccount], clock: Clock, settings: Any
) -> None:
    settings.RETENTION_DAYS = {"consent_ledger": 30}
    ConsentSubject.objects.filter(account=chains[0]).delete()  # as the erasure does

    clock.advance(days=29)
    assert retention.apply()["consent_ledger"] == 0
    clock.advance(days=2)
    assert retention.apply()["consent_ledger"] == 3

    assert ConsentEvent.objects.count() == 6
    assert _first() is None


def test_a_chain_whose_time_is_over_is_pruned_and_its_head_says_so(account: LinkedAccount) -> None:
    subject = account.consent_subject.subject

    assert ledger.prune(subject) == 3

    assert _first() is None
    assert ConsentHead.objects.get(subject=subject).pruned_at is not None
    assert ConsentRegister.objects.get().chains == 3
