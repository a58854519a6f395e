"""Where a member is signed in, and since when: kept to the minute, not written with each page."""

from __future__ import annotations

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User

PAGE = reverse("imprint")


def writes(client: Client, **headers: str) -> list[str]:
    """The statements of one page that write the list of sessions."""
    with CaptureQueriesContext(connection) as sent:
        assert client.get(PAGE, headers=headers).status_code == 200
    return [
        each["sql"]
        for each in sent
        if "usersessions" in each["sql"] and not each["sql"].startswith("SELECT")
    ]


def test_the_first_page_of_a_session_puts_it_into_the_list(as_alice: Client, alice: User) -> None:
    as_alice.get(PAGE, headers={"User-Agent": "Browser/1"})

    (session,) = UserSession.objects.filter(user=alice)
    assert session.user_agent == "Browser/1"


def test_a_page_soon_after_writes_nothing(as_alice: Client) -> None:
    as_alice.get(PAGE)

    assert writes(as_alice) == []


def test_a_page_more_than_a_minute_later_is_noted(as_alice: Client, alice: User) -> None:
    as_alice.get(PAGE)
    seen = UserSession.objects.get(user=alice).last_seen_at - timedelta(minutes=2)
    UserSession.objects.update(last_seen_at=seen)

    assert writes(as_alice)
    assert UserSession.objects.get(user=alice).last_seen_at > seen


def test_another_browser_with_the_same_cookie_is_noted_at_once(
    as_alice: Client, alice: User
) -> None:
    """A member must be able to see that somebody else uses their session."""
    as_alice.get(PAGE, headers={"User-Agent": "Browser/1"})

    as_alice.get(PAGE, headers={"User-Agent": "Thief/1"})

    assert UserSession.objects.get(user=alice).user_agent == "Thief/1"
