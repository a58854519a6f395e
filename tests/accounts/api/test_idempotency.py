"""A write that the network repeats happens once."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from accounts.models import DeletionRequest, IdempotencyRecord, LinkedAccount
from accounts.services import erasure, idempotency, linking
from tests.support.api import API, problem, program

ACCOUNTS = f"{API}/accounts/"
KEY = {"HTTP_IDEMPOTENCY_KEY": "k1"}

pytestmark = pytest.mark.django_db


def test_the_second_request_is_answered_as_the_first_and_does_nothing(alices_program):
    first = alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY)
    second = alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY)

    assert (second.status_code, second.json()) == (first.status_code, first.json()) == (
        201, first.json(),
    )  # fmt: skip
    assert second["Location"] == first["Location"]
    assert second["Idempotency-Replayed"] == "true"
    assert LinkedAccount.objects.count() == 1


def test_the_same_key_for_another_body_is_refused(alices_program):
    alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY)

    response = alices_program.post(ACCOUNTS, {"username": "ben"}, **KEY)

    problem(response, 422, "idempotency_key_reused")
    assert LinkedAccount.objects.count() == 1


def test_the_same_key_for_another_route_is_refused(alices_program, account):
    alices_program.delete(f"{ACCOUNTS}{account.pk}/", **KEY)

    response = alices_program.post(f"{API}/exports/", {}, **KEY)

    problem(response, 422, "idempotency_key_reused")


def test_each_member_has_their_own_keys(alices_program, bobs_program):
    assert alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY).status_code == 201
    assert bobs_program.post(ACCOUNTS, {"username": "ben"}, **KEY).status_code == 201


def test_what_failed_leaves_the_key_free(alices_program):
    problem(
        alices_program.post(ACCOUNTS, {"username": "not a name"}, **KEY), 422, "invalid_username"
    )

    assert alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY).status_code == 201


def test_while_the_first_is_at_work_the_second_is_told_to_wait(alice, alices_program):
    fingerprint = b'["POST", "/api/v1/accounts/", {"username": "ada"}]'
    idempotency.claim(user_id=alice.pk, key="k1", request=fingerprint)

    response = alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY)

    problem(response, 409, "idempotency_in_progress")
    assert response["Retry-After"] == "1"
    assert not LinkedAccount.objects.exists()


def test_a_claim_whose_worker_died_is_taken_over(alice, alices_program, clock):
    fingerprint = b'["POST", "/api/v1/accounts/", {"username": "ada"}]'
    dead = idempotency.claim(user_id=alice.pk, key="k1", request=fingerprint)
    clock.advance(minutes=6)

    assert alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY).status_code == 201

    idempotency.release(dead)
    assert IdempotencyRecord.objects.count() == 1


def test_after_a_day_the_key_is_free_again(alices_program, clock):
    alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY)
    clock.advance(hours=24, seconds=1)

    assert alices_program.post(ACCOUNTS, {"username": "ben"}, **KEY).status_code == 201


def test_expired_records_are_forgotten(alices_program, clock):
    alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY)
    assert idempotency.forget_expired() == 0
    clock.advance(hours=25)

    assert idempotency.forget_expired() == 1


def test_an_unlinking_is_repeated_although_the_account_is_gone(alices_program, account):
    first = alices_program.delete(f"{ACCOUNTS}{account.pk}/", **KEY)

    second = alices_program.delete(f"{ACCOUNTS}{account.pk}/", **KEY)

    assert second.json()["confirmation_code"] == first.json()["confirmation_code"]
    assert DeletionRequest.objects.count() == 1


def test_neither_key_nor_secret_is_stored(alices_program, account):
    salt = alices_program.post(f"{API}/deletions/", {"account": account.pk}, **KEY).json()["salt"]

    record = IdempotencyRecord.objects.get()

    assert salt
    assert salt not in str(record.__dict__)
    assert "k1" not in str(record.__dict__)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\u0007b"])
def test_a_key_that_is_none(alices_program, key):
    response = alices_program.post(ACCOUNTS, {"username": "ada"}, HTTP_IDEMPOTENCY_KEY=key)

    problem(response, 422, "bad_idempotency_key")


def test_an_erased_account_takes_its_answers_along(alices_program, alice):
    account_id = alices_program.post(ACCOUNTS, {"username": "ada"}, **KEY).json()["id"]

    deletion = linking.unlink(
        account=alice.linked_accounts.get(pk=account_id), erase="now", channel="web", actor=alice
    )
    while erasure.advance(deletion.pk):
        pass

    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_does_the_work(alice):
    client_of = [program(alice) for _ in range(6)]
    answers: list[int] = []

    def ask(client):
        answers.append(client.post(ACCOUNTS, {"username": "ada"}, **KEY).status_code)
        connection.close()

    threads = [threading.Thread(target=ask, args=(client,)) for client in client_of]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert LinkedAccount.objects.count() == 1
    assert set(answers) <= {201, 409}
    assert 201 in answers


def test_no_more_answers_are_kept_than_there_is_room_for(
    alice, alices_program, bobs_program, clock, monkeypatch
):
    """A program that takes a new key each time would fill the table without end."""
    monkeypatch.setattr(idempotency, "MOST_KEPT", 3)
    for number in range(3):
        key = {"HTTP_IDEMPOTENCY_KEY": f"k{number}"}
        assert alices_program.post(ACCOUNTS, {"username": f"ada{number}"}, **key).status_code == 201

    refused = alices_program.post(ACCOUNTS, {"username": "ben"}, HTTP_IDEMPOTENCY_KEY="k3")
    again = alices_program.post(ACCOUNTS, {"username": "ada1"}, HTTP_IDEMPOTENCY_KEY="k1")
    bobs = bobs_program.post(ACCOUNTS, {"username": "cem"}, HTTP_IDEMPOTENCY_KEY="k3")

    problem(refused, 429, "too_many_idempotency_keys")
    assert refused["Retry-After"] == str(24 * 3600)
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert bobs.status_code == 201
    assert IdempotencyRecord.objects.filter(user=alice).count() == 3

    clock.advance(hours=25)
    late = idempotency.claim(user_id=alice.pk, key="k4", request=b"x")

    assert isinstance(late, idempotency.Claim)
    assert IdempotencyRecord.objects.filter(user=alice).count() == 1
