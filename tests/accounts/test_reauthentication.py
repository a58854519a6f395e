"""A session left open must not be enough to take everything from a member."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from accounts import clock
from accounts.models import DataExport, LinkedAccount, User
from accounts.scopes import Scope
from tests.support.journey import come_back, link
from tests.support.members import grow_old
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(client: Client, sandbox: Sandbox) -> LinkedAccount:
    """Of a member who has nothing but Instagram, and signed in just now."""
    link(client, sandbox, "ada", Scope.FOLLOWERS)
    return LinkedAccount.objects.get()


def _unlink(client: Client, account: LinkedAccount) -> str:
    answer = client.post(f"/accounts/{account.pk}/unlink/", {"erase": "now"})
    return str(answer.get("Location", ""))


def test_who_signed_in_just_now_is_believed(client: Client, account: LinkedAccount) -> None:
    _unlink(client, account)

    account.refresh_from_db()
    assert account.state == "unlinked"


def test_later_they_sign_in_at_instagram_once_more(
    client: Client, sandbox: Sandbox, account: LinkedAccount
) -> None:
    grow_old(client)

    url = _unlink(client, account)
    assert url.startswith(sandbox.base_url)
    assert "force_reauth=true" in url
    assert LinkedAccount.objects.get().state == "active"

    back = come_back(client, sandbox.authorize(url, "ada"))
    assert back["Location"] == f"/accounts/{account.pk}/unlink/"
    _unlink(client, account)
    assert LinkedAccount.objects.get().state == "unlinked"


def test_somebody_else_at_instagram_does_not_do(
    client: Client, sandbox: Sandbox, account: LinkedAccount
) -> None:
    sandbox.persona("eve")
    grow_old(client)

    answer = come_back(client, sandbox.authorize(_unlink(client, account), "eve"))

    assert "somebody else" in " ".join(str(each) for each in get_messages(answer.wsgi_request))
    assert _unlink(client, account).startswith(sandbox.base_url)
    assert LinkedAccount.objects.get().state == "active"
    assert User.objects.count() == 1


def test_the_page_itself_can_be_read_all_the_same(client: Client, account: LinkedAccount) -> None:
    grow_old(client)

    assert client.get(f"/accounts/{account.pk}/unlink/").status_code == 200


def test_a_member_with_a_password_is_asked_for_it(client: Client, alice: User) -> None:
    from tests.support.factories import LinkedAccountFactory

    account = LinkedAccountFactory(owner=alice)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")

    assert _unlink(client, account).startswith("/auth/reauthenticate/")


def test_a_copy_of_everything_is_neither_made_nor_handed_out_to_an_open_session(
    client: Client, sandbox: Sandbox, account: LinkedAccount
) -> None:
    export = DataExport.objects.create(
        owner=account.owner, state=DataExport.State.READY, created_at=clock.now()
    )
    grow_old(client)

    asked = client.post("/settings/exports/")
    fetched = client.get(f"/settings/exports/{export.pk}/")

    assert asked["Location"].startswith(sandbox.base_url)
    assert fetched["Location"].startswith(sandbox.base_url)
    assert DataExport.objects.count() == 1
    back = come_back(client, sandbox.authorize(asked["Location"], "ada"))
    assert back["Location"] == "/settings/"


def test_a_program_in_the_browser_meets_the_same_question(
    client: Client, account: LinkedAccount
) -> None:
    grow_old(client)

    answer = client.post(
        "/api/v1/deletions/", {"everything": True}, content_type="application/json"
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
    assert LinkedAccount.objects.get().state == "active"
