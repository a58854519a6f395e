"""A member lets a program in, and the browser really takes them back to it."""

from __future__ import annotations

from urllib.parse import urlencode

from allauth.idp.oidc.models import Client, Token
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.e2e.test_main_job import sign_up
from tests.support.oauth import CHALLENGE

BACK = "https://program.example/back"


def test_granting_access_leads_back_to_the_program_and_is_listed(page: Page) -> None:
    client = Client.objects.create(name="My spreadsheet", redirect_uris=BACK)
    client.set_scopes(["followers:read"])
    client.save()
    page.route("https://program.example/**", lambda route: route.fulfill(body="<h1>Hello</h1>"))
    sign_up(page)
    query = {
        "client_id": client.pk,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "followers:read",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }

    page.goto(f"/identity/o/authorize?{urlencode(query)}")
    expect(page.get_by_role("heading", name="My spreadsheet")).to_be_visible()
    box = page.get_by_label("See your follower lists")
    expect(box).not_to_be_checked()
    box.check()
    page.get_by_role("button", name="Authorize").click()

    page.wait_for_url(f"{BACK}?*code=*")


def test_a_program_loses_its_access_at_a_press(page: Page) -> None:
    client = Client.objects.create(name="My spreadsheet", redirect_uris=BACK)
    sign_up(page)
    token = Token(type=Token.Type.ACCESS_TOKEN, client=client, user=User.objects.get())
    token.set_value("at")
    token.set_scopes(["followers:read"])
    token.save()

    page.goto("/settings/")
    page.get_by_role("button", name="Take the access away").click()

    expect(page.get_by_text("No program has access to your data.")).to_be_visible()
    assert not Token.objects.exists()
