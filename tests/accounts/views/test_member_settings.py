"""A member's own settings: they see and end what has access to them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.models import DataExport, User
from accounts.selectors import programs_of
from accounts.services import programs
from tests.support.factories import PASSWORD


def test_programs_with_access_are_shown_and_lose_it_at_a_press(
    as_alice: Client, alice: User
) -> None:
    programs.issue_token(user=alice, scopes=["followers:read"], days=9)
    text = as_alice.get(reverse("settings")).content.decode()
    assert programs_of(alice)[0].name in text
    assert "followers:read" in text

    as_alice.post(reverse("program-revoke", args=[programs_of(alice)[0].client_id]))

    assert programs_of(alice) == []


def test_nobody_can_revoke_another_members_program(
    as_alice: Client, alice: User, bob: User
) -> None:
    programs.issue_token(user=bob, scopes=["followers:read"], days=9)

    as_alice.post(reverse("program-revoke", args=[programs_of(bob)[0].client_id]))

    assert len(programs_of(bob)) == 1


def test_language_and_zone_are_kept_and_used_at_once(as_alice: Client, alice: User) -> None:
    form = {"language": "de", "time_zone": "Europe/Berlin"}

    answer = as_alice.post(reverse("settings-place"), form, follow=True)

    alice.refresh_from_db()
    assert (alice.language, alice.time_zone) == ("de", "Europe/Berlin")
    assert "Gespeichert." in answer.content.decode()
    assert "Einstellungen" in answer.content.decode()


@pytest.mark.parametrize("wrong", [{"language": "tlh"}, {"time_zone": "Mars/Olympus"}])
def test_a_place_that_is_none_changes_nothing(
    wrong: dict[str, str], as_alice: Client, alice: User
) -> None:
    form = {"language": "de", "time_zone": "Europe/Berlin"} | wrong

    answer = as_alice.post(reverse("settings-place"), form)

    alice.refresh_from_db()
    assert answer.status_code == 422
    assert (alice.language, alice.time_zone) == ("en", "UTC")


def test_the_browsers_zone_is_offered_and_taken_only_on_the_members_word(
    as_alice: Client, alice: User
) -> None:
    as_alice.cookies["zone"] = "Europe%2FBerlin"
    text = as_alice.get(reverse("settings")).content.decode()
    alice.refresh_from_db()
    assert "Show them in Europe/Berlin" in text
    assert alice.time_zone == "UTC"

    as_alice.post(reverse("adopt-zone"))

    alice.refresh_from_db()
    assert alice.time_zone == "Europe/Berlin"


def test_a_forged_zone_is_taken_for_none(as_alice: Client) -> None:
    as_alice.cookies["zone"] = "../../etc/passwd"

    assert as_alice.get(reverse("settings")).status_code == 200


def test_a_member_without_a_way_back_is_reminded_and_may_put_it_off(
    as_alice: Client, alice: User
) -> None:
    EmailAddress.objects.filter(user=alice).delete()
    reminder = "neither a confirmed e-mail address nor a passkey"
    assert reminder in as_alice.get(reverse("accounts")).content.decode()

    as_alice.post(reverse("hide-reminder"))

    assert reminder not in as_alice.get(reverse("accounts")).content.decode()


def test_a_copy_of_my_data_can_be_asked_for_once_at_a_time(as_alice: Client, alice: User) -> None:
    as_alice.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    as_alice.post(reverse("export-request"))
    answer = as_alice.post(reverse("export-request"), follow=True)

    assert DataExport.objects.filter(owner=alice).count() == 1
    assert "A copy is being made already." in answer.content.decode()


def test_another_members_copy_is_not_there(as_alice: Client, bob: User) -> None:
    export = DataExport.objects.create(
        owner=bob,
        state="ready",
        created_at=clock.now(),
        expires_at=clock.now() + timedelta(days=1),
        path="x.zip",
    )

    as_alice.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    assert as_alice.get(reverse("export-download", args=[export.pk])).status_code == 404


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_language_is_kept_with_the_member(language: str, as_alice: Client, alice: User) -> None:
    form = f"language={language}&next=/settings/"
    answer = as_alice.post(reverse("set-language"), form, "application/x-www-form-urlencoded")

    alice.refresh_from_db()
    assert alice.language == language
    assert answer["Location"] == "/settings/"


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example", "/settings/zone/"]
)
def test_the_way_back_never_leaves_the_site_or_ends_at_an_act(
    next_page: str, as_alice: Client
) -> None:
    answer = as_alice.post(reverse("set-language"), {"language": "de", "next": next_page})

    assert answer["Location"] == reverse("home")


def test_a_visitors_language_is_kept_in_a_cookie(client: Client, db: None) -> None:
    client.post(reverse("set-language"), {"language": "de"})

    assert '<html lang="de">' in client.get("/").content.decode()
