"""The main job as a member does it: link, consent, see the first sync, see changes, leave."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import AccessToken, DeletionRequest, LinkedAccount
from followersync.models import Follower, FollowerChange
from followersync.services.sync import runs
from tests.support.clock import Clock
from tests.support.sandbox import Sandbox

Drain = Callable[[], int]


def sign_up(page: Page) -> None:
    page.goto("/auth/signup/")
    page.get_by_label("Email").fill("alice@example.org")
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign Up").click()
    expect(page.get_by_role("heading", name="My accounts")).to_be_visible()


def link(page: Page, persona: str) -> None:
    page.goto("/link/")
    page.get_by_label("Followers").check()
    page.get_by_role("button", name="Link by Instagram").click()
    allow_at_instagram(page, persona)


def allow_at_instagram(page: Page, persona: str) -> None:
    """The sandbox's page: choose who one is there, and allow."""
    page.locator(f"input[name=persona][value='{persona}']").check()
    page.locator("button[value=allow]").click()


@pytest.fixture
def ada(page: Page, sandbox: Sandbox) -> str:
    """A persona with a list of three pages; Alice is signed up and has linked her."""
    number = sandbox.persona("ada.two", followers=230)
    sign_up(page)
    link(page, "ada.two")
    return number


def test_the_first_sync_is_seen_beginning_and_finishing_without_a_reload(
    page: Page, sandbox: Sandbox, ada: str, drain: Drain
) -> None:
    expect(page.get_by_role("heading", name="@ada.two")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()

    drain()

    expect(page.locator(".truth .sentence")).to_contain_text("230 followers", timeout=15_000)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    assert Follower.objects.count() == len(sandbox.true_list(ada)) == 230


def test_people_who_come_and_go_are_told_in_the_right_words(
    page: Page, sandbox: Sandbox, ada: str, drain: Drain, clock: Clock
) -> None:
    drain()
    account = LinkedAccount.objects.get()
    for _look in range(2):
        sync_once(account, drain)
    happened = sandbox.change(ada, follow=2, leave=1)
    sync_once(account, drain)

    page.goto(f"/accounts/{account.pk}/")
    expect(page.get_by_role("heading", name="Not in your list just now")).to_be_visible()
    expect(page.locator(".truth .sentence")).to_contain_text("1 is not in Instagram's list")

    for _look in range(20):
        clock.advance(hours=6)
        sync_once(account, drain)
        if FollowerChange.objects.filter(kind="lost").exists():
            break
    page.goto(f"/accounts/{account.pk}/changes/")
    told = page.locator("ol.plain")
    expect(told).to_contain_text("follows you now")
    expect(told).to_contain_text("is no longer in your list since about")
    assert FollowerChange.objects.filter(kind="lost").count() == len(happened["left"])


def test_a_person_is_found_while_typing(page: Page, ada: str, drain: Drain) -> None:
    drain()
    name = Follower.objects.order_by("username")[100].username
    account = LinkedAccount.objects.get()
    page.goto(f"/accounts/{account.pk}/followers/")

    page.get_by_label("Username begins with").press_sequentially(name)

    expect(page.locator("#people li")).to_have_count(1)
    expect(page.locator("#people")).to_contain_text(f"@{name}")
    expect(page).to_have_url(re.compile(r"q="))


def test_unlinking_says_beforehand_what_goes_and_ends_with_a_receipt(
    page: Page, ada: str, drain: Drain
) -> None:
    drain()
    account = LinkedAccount.objects.get()
    page.goto(f"/accounts/{account.pk}/settings/")
    page.get_by_role("link", name="Unlink…").click()
    expect(page.get_by_text("230 followers")).to_be_visible()

    page.get_by_label("Now", exact=True).check()
    page.get_by_role("button", name="Unlink").click()
    if page.get_by_role("heading", name="Confirm Access").is_visible():
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Confirmation code")).to_be_visible()
    assert not AccessToken.objects.exists()

    page.get_by_role("link", name="Watch the erasure").click()
    drain()

    expect(page.locator("#status")).to_contain_text("Everything is erased", timeout=15_000)
    expect(page.get_by_role("link", name="Download the signed receipt")).to_be_visible()
    assert DeletionRequest.objects.get().state == "completed"
    assert not Follower.objects.exists()


def test_a_refusal_at_instagram_links_nothing_and_says_so(page: Page, sandbox: Sandbox) -> None:
    sign_up(page)
    page.goto("/link/")
    page.get_by_role("button", name="Link by Instagram").click()
    page.locator("button[value=deny]").click()

    expect(page.locator("main")).to_contain_text("cancel", ignore_case=True)
    assert not LinkedAccount.objects.exists()


def sync_once(account: LinkedAccount, drain: Drain) -> None:
    """One sync on the member's wish, to its end."""
    run = account.sync_runs.filter(state__in=["queued", "running", "waiting"]).first()
    run = run or runs.request_sync(account=account, trigger="member")
    while runs.advance(run.pk):
        pass
    drain()
