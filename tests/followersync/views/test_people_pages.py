"""Finding a person among many, then and now, and reading what changed."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import LinkedAccount
from followersync.domain.values import AddedKind
from followersync.models import SyncSettings
from tests.support.sync import write

PEOPLE = [(100 + n, f"person.{n:03}") for n in range(120)]


@pytest.fixture
def listed(followed: LinkedAccount) -> LinkedAccount:
    write(followed, people=PEOPLE)
    return followed


def names(text: str) -> list[str]:
    return re.findall(r'class="handle">@([\w.]+)<', text)


def test_paging_through_meets_everybody_once(as_alice: Client, listed: LinkedAccount) -> None:
    address, met = reverse("account-followers", args=[listed.pk]), []
    while address:
        text = as_alice.get(address).content.decode()
        met += names(text)
        link = re.search(r'rel="next" href="([^"]+)"', text)
        address = link[1].replace("&amp;", "&") if link else ""

    assert sorted(met) == sorted(name for _key, name in PEOPLE)


def test_the_way_back_leads_to_the_page_before(as_alice: Client, listed: LinkedAccount) -> None:
    first = as_alice.get(reverse("account-followers", args=[listed.pk])).content.decode()
    forward = re.search(r'rel="next" href="([^"]+)"', first)
    assert forward
    second = as_alice.get(forward[1].replace("&amp;", "&")).content.decode()
    backward = re.search(r'rel="prev" href="([^"]+)"', second)
    assert backward

    again = as_alice.get(backward[1].replace("&amp;", "&")).content.decode()

    assert names(again) == names(first)


def test_a_name_is_found_by_its_beginning(as_alice: Client, listed: LinkedAccount) -> None:
    address = reverse("account-followers", args=[listed.pk])

    text = as_alice.get(address, {"q": "@Person.11"}).content.decode()

    assert sorted(names(text)) == [f"person.11{n}" for n in range(10)]


def test_a_name_that_is_not_there_is_said_not_to_be(
    as_alice: Client, listed: LinkedAccount
) -> None:
    address = reverse("account-followers", args=[listed.pk])

    text = as_alice.get(address, {"q": "<b>nobody"}).content.decode()

    assert "&lt;b&gt;nobody" in text
    assert "<b>nobody" not in text


def test_typing_fetches_the_list_alone(as_alice: Client, listed: LinkedAccount) -> None:
    address = reverse("account-followers", args=[listed.pk])

    text = as_alice.get(address, headers={"HX-Target": "people"}).content.decode()

    assert "<html" not in text
    assert 'id="people"' in text


@pytest.mark.parametrize("at", ["yesterday", "2026-13-45", "0000-00-00", "2026-05"])
def test_what_is_no_day_shows_todays_list_and_says_so(
    at: str, as_alice: Client, listed: LinkedAccount
) -> None:
    answer = as_alice.get(reverse("account-followers", args=[listed.pk]), {"at": at})

    assert answer.status_code == 200
    assert "That is not a day" in answer.content.decode()


@pytest.mark.parametrize("at", ["0001-01-01", "1999-12-31", "9999-12-31"])
def test_the_ends_of_time_are_no_fault(at: str, as_alice: Client, listed: LinkedAccount) -> None:
    answer = as_alice.get(reverse("account-followers", args=[listed.pk]), {"at": at})

    assert answer.status_code == 200


def test_a_broken_page_link_leads_to_the_first_page(
    as_alice: Client, listed: LinkedAccount
) -> None:
    address = reverse("account-followers", args=[listed.pk])

    answer = as_alice.get(address, {"cursor": "mischief"}, follow=True)

    assert "This page link is not one of ours" in answer.content.decode()
    assert len(names(answer.content.decode())) == 50


def test_changes_are_told_in_words_that_blame_nobody(
    as_alice: Client, listed: LinkedAccount
) -> None:
    write(listed, people=[(900, "mira")], kind=AddedKind.GAINED)
    write(listed, renamed=[(105, "person.005", "new.name")])
    write(listed, lost=[110])

    text = " ".join(
        as_alice.get(reverse("account-changes", args=[listed.pk])).content.decode().split()
    )

    assert "@mira</span> follows you now" in text
    assert "@new.name</span> was called @person.005 before" in text
    assert "@person.010</span> is no longer in your list since about" in text
    assert "unfollow" not in text.lower()


def test_changes_can_be_narrowed_to_a_kind(as_alice: Client, listed: LinkedAccount) -> None:
    write(listed, people=[(900, "mira")], kind=AddedKind.GAINED)
    write(listed, lost=[110])
    address = reverse("account-changes", args=[listed.pk])

    assert names(as_alice.get(address, {"kind": "lost"}).content.decode()) == ["person.010"]
    assert len(names(as_alice.get(address, {"kind": "nonsense"}).content.decode())) == 2


def test_earlier_changes_are_a_page_away(as_alice: Client, listed: LinkedAccount) -> None:
    write(listed, people=[(1000 + n, f"newcomer.{n:03}") for n in range(70)], kind=AddedKind.GAINED)
    first = as_alice.get(reverse("account-changes", args=[listed.pk])).content.decode()
    link = re.search(r'rel="next" href="([^"]+)"', first)
    assert link

    address = reverse("account-changes", args=[listed.pk]) + link[1].replace("&amp;", "&")
    second = as_alice.get(address).content.decode()

    assert len(set(names(first)) | set(names(second))) == 70
    assert not set(names(first)) & set(names(second))


def test_years_before_the_first_look_are_labelled(as_alice: Client, listed: LinkedAccount) -> None:
    """An export says who follows since when, but not who left in those years."""
    SyncSettings.objects.filter(pk=listed.pk).update(baseline_at=timezone.now())
    address = reverse("account-followers", args=[listed.pk])

    then = as_alice.get(address, {"at": "2019-05-01"}).content.decode()
    now = as_alice.get(address).content.decode()

    assert "Of today's followers" in html.unescape(then)
    assert "Of today's followers" not in html.unescape(now)
