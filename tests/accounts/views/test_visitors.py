"""What strangers may do without end costs us something each time: so there is an end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import PrivacyRequest, VisitorQuotaUse
from accounts.services import quotas
from accounts.services.quotas import Quota
from accounts.views.visitors import mark_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def few(monkeypatch, clock):
    for name in quotas.VISITOR_QUOTAS:
        monkeypatch.setitem(quotas.VISITOR_QUOTAS, name, Quota(3, timedelta(hours=1)))


def ask(contact: str = "mia@example.org", **extra: str):
    form = {"kind": "erasure", "username": "mia", "contact": contact}
    return Client().post(reverse("privacy"), form, **extra)


def test_a_request_of_a_stranger_is_taken_a_few_times_from_one_address(few, clock, settings):
    settings.OPERATOR_EMAIL = "privacy@threads.example"
    answers = [ask(f"mia{number}@example.org") for number in range(5)]

    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert PrivacyRequest.objects.count() == 3
    assert "privacy@threads.example" in answers[3].content.decode()
    assert answers[3]["Retry-After"] == "1200"
    clock.advance(minutes=20)
    assert ask("mia9@example.org").status_code == 200


def test_nobody_is_written_to_more_often_because_many_addresses_ask(few):
    answers = [ask("MIA@example.org" if n % 2 else "mia@example.org", REMOTE_ADDR=f"198.51.100.{n}")
               for n in range(1, 5)]  # fmt: skip

    assert [each.status_code for each in answers] == [200, 200, 200, 429]


def test_another_address_is_not_kept_waiting(few):
    for number in range(4):
        ask(f"mia{number}@example.org", REMOTE_ADDR="2001:db8::1")

    assert ask("ida@example.org", REMOTE_ADDR="2001:db8:0:1::1").status_code == 200


def test_what_is_refused_is_not_counted_for_the_other_quota(few, monkeypatch):
    for number in range(4):
        ask("mia@example.org", REMOTE_ADDR=f"198.51.100.{number + 1}")
    monkeypatch.setitem(quotas.VISITOR_QUOTAS, "privacy_for_contact", Quota(99, timedelta(hours=1)))

    answers = [ask(f"x{n}@example.org", REMOTE_ADDR="198.51.100.4") for n in range(4)]

    assert [each.status_code for each in answers] == [200, 200, 200, 429]


def test_each_way_to_instagram_stores_a_session_and_so_a_few_are_open(few):
    answers = [Client().post(reverse("link")) for _ in range(5)]

    assert [each.status_code for each in answers] == [302, 302, 302, 429, 429]
    assert Session.objects.count() == 3


def test_whoever_has_a_session_goes_on_in_it(few):
    client = Client()

    answers = [client.post(reverse("link")) for _ in range(5)]

    assert {each.status_code for each in answers} == {302}
    assert Session.objects.count() == 1


def test_a_session_that_we_never_gave_out_is_a_new_one(few):
    for number in range(5):
        client = Client()
        client.cookies["sessionid"] = f"{number}" * 32
        client.post(reverse("link"))

    assert Session.objects.count() == 3


def test_members_are_not_counted_as_visitors(few, as_alice):
    assert {as_alice.post(reverse("link")).status_code for _ in range(5)} == {302}
    assert not VisitorQuotaUse.objects.exists()


def test_reading_stores_nothing(few):
    for _ in range(5):
        assert Client().get(reverse("link")).status_code == 200

    assert not Session.objects.exists()
    assert not VisitorQuotaUse.objects.exists()


def test_no_address_is_stored_and_the_row_goes_with_the_night(few, clock):
    ask("mia@example.org", REMOTE_ADDR="203.0.113.77")

    stored = str(list(VisitorQuotaUse.objects.values_list("mark", "name")))
    assert "203.0.113" not in stored
    assert "mia@" not in stored
    assert quotas.forget_visitors(limit=10) == 0
    clock.advance(hours=2)
    assert quotas.forget_visitors(limit=10) == 2


@pytest.mark.parametrize(
    ("address", "mark"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
def test_a_household_has_one_mark(address, mark):
    assert mark_of(RequestFactory().get("/", REMOTE_ADDR=address)) == mark
