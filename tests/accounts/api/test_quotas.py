"""What costs much is counted exactly, however many ask at once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import ConsentEvent, DataExport, LinkedAccount
from accounts.scopes import Scope
from accounts.services import quotas
from accounts.services.consent import current_text
from accounts.services.quotas import Quota, QuotaUsedUp, spend
from tests.support.api import API, browser, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_an_hour(monkeypatch):
    monkeypatch.setitem(quotas.QUOTAS, "link", Quota(3, timedelta(hours=1)))


@pytest.mark.usefixtures("three_an_hour")
def test_the_last_one_too_many_is_told_when_the_next_is_free(alices_program, clock):
    for name in ("ada", "ben", "cem"):
        assert alices_program.post(f"{API}/accounts/", {"username": name}).status_code == 201

    response = alices_program.post(f"{API}/accounts/", {"username": "dora"})

    problem(response, 429, "quota_used_up")
    assert response["Retry-After"] == "1200"


def test_the_pages_count_as_the_api_does(as_alice, alice, account, monkeypatch):
    """Else whoever is refused by the one goes on by the other."""
    for name in ("link", "export", "grant"):
        monkeypatch.setitem(quotas.QUOTAS, name, Quota(1, timedelta(hours=1)))
        spend(user_id=alice.pk, name=name)
    text = current_text(Scope.PROFILE, "en").hash

    as_alice.post("/link/archive/", {"username": "ada"})
    as_alice.post("/settings/exports/")
    as_alice.post(f"/accounts/{account.pk}/consents/profile/", {"text_hash": text})

    assert LinkedAccount.objects.count() == 1
    assert not DataExport.objects.exists()
    assert not ConsentEvent.objects.exists()


def test_a_grant_by_the_api_counts_and_a_withdrawal_is_never_refused(alice, account, monkeypatch):
    monkeypatch.setitem(quotas.QUOTAS, "grant", Quota(1, timedelta(hours=1)))
    where = f"{API}/accounts/{account.pk}/consents/profile/"
    given = {"text_hash": current_text(Scope.PROFILE, "en").hash}
    session = browser(alice)

    assert session.put(where, given).status_code == 200
    assert session.delete(where, {"keep_data": True}).status_code == 204
    problem(session.put(where, given), 429, "quota_used_up")


@pytest.mark.usefixtures("three_an_hour")
def test_it_frees_itself_bit_by_bit(alice, clock):
    for _ in range(3):
        spend(user_id=alice.pk, name="link")
    clock.advance(minutes=20)

    spend(user_id=alice.pk, name="link")

    with pytest.raises(QuotaUsedUp):
        spend(user_id=alice.pk, name="link")


@pytest.mark.usefixtures("three_an_hour")
def test_each_member_has_their_own(alice, bob):
    for _ in range(3):
        spend(user_id=alice.pk, name="link")

    spend(user_id=bob.pk, name="link")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("three_an_hour")
def test_of_twelve_at_the_same_moment_three_pass(alice):
    passed: list[bool] = []

    def ask():
        try:
            spend(user_id=alice.pk, name="link")
            passed.append(True)
        except QuotaUsedUp:
            passed.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(passed) == [False] * 9 + [True] * 3
