"""Somebody with the database's password lifts the triggers; the key they do not have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

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
from accounts.services import ledger, linking
from tests.support.clock import Clock
from tests.support.factories import LinkedAccountFactory
from tests.support.factories import consent as allow
from tests.support.retention import apply_retention


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


def test_everything_dropped_with_the_register_shows_by_the_subjects(account: LinkedAccount) -> None:
    _execute(
        "DELETE FROM accounts_consentevent; DELETE FROM accounts_consenthead;"
        "DELETE FROM accounts_consentregister"
    )

    assert {b.what for b in ledger.verify()} == {"the whole chain is missing"}


def test_a_member_led_away_from_their_chain_shows(account: LinkedAccount) -> None:
    ConsentSubject.objects.filter(account=account).update(subject=uuid4())

    broken = _first()
    assert broken is not None
    assert broken.what == "the whole chain is missing"


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE accounts_consenttext SET text = text || ' and more'", "was altered"),
        ("DELETE FROM accounts_consenttext", "is missing"),
    ],
)
def test_an_altered_or_missing_text_shows(statement: str, what: str) -> None:
    """Entries name the hash of what was shown: other words under it are another consent."""
    _execute(statement)

    broken = _first()
    assert broken is not None
    assert what in broken.what


def test_unlinking_what_was_never_allowed_leaves_no_empty_chain(bob: User) -> None:
    silent = LinkedAccountFactory(owner=bob)

    linking.unlink(account=silent, erase="now", channel="web", actor=bob)

    assert not ConsentSubject.objects.filter(account=silent).exists()
    assert _first() is None


@pytest.mark.django_db(transaction=True)
def test_an_entry_written_while_the_check_runs_is_no_gap(
    account: LinkedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entries are read before their heads; meanwhile a member agrees to something more."""
    read = ledger._verify_chains

    def in_between() -> Iterator[ledger.Broken]:
        list(ConsentEvent.objects.all()[:1])
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(_agree, account).result()
        assert ConsentEvent.objects.filter(scope="discoverable").count() == 0
        yield from read()

    monkeypatch.setattr(ledger, "_verify_chains", in_between)

    assert _first() is None


def _agree(account: LinkedAccount) -> None:
    try:
        allow(account, Scope.DISCOVERABLE)
    finally:
        connection.close()


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
        "DELETE FROM accounts_consentregister; DELETE FROM accounts_consentsubject"
    )

    with pytest.raises(CommandError, match="set back"):
        call_command("verify_consents", anchor=anchor, stdout=out)


def test_entries_outlive_the_member_for_the_time_the_policy_states_and_no_longer(
    chains: list[LinkedAccount], clock: Clock, settings: Any
) -> None:
    settings.RETENTION_DAYS = {"consent_ledger": 30}
    ConsentSubject.objects.filter(account=chains[0]).delete()  # as the erasure does

    clock.advance(days=29)
    assert apply_retention()["consent_ledger"] == 0
    clock.advance(days=2)
    assert apply_retention()["consent_ledger"] == 3

    assert ConsentEvent.objects.count() == 6
    assert _first() is None


def test_a_chain_whose_time_is_over_is_pruned_and_its_head_says_so(account: LinkedAccount) -> None:
    subject = account.consent_subject.subject

    assert ledger.prune(subject) == 3

    assert _first() is None
    assert ConsentHead.objects.get(subject=subject).pruned_at is not None
    assert ConsentRegister.objects.get().chains == 3
