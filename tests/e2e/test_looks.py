"""Every page fits a small phone, obeys the policy, and can be used without a mouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import LinkedAccount
from tests.e2e.test_main_job import link, sign_up
from tests.support.sandbox import Sandbox

OPEN_PAGES = ["/", "/link/", "/privacy/", "/imprint/", "/auth/login/", "/auth/signup/"]
MEMBER_PAGES = [
    "/accounts/",
    "/link/",
    "/settings/",
    "/settings/delete/",
    "/auth/email/",
    "/auth/2fa/",
    "/auth/sessions/",
    "/auth/3rdparty/",
    "/accounts/{id}/",
    "/accounts/{id}/followers/",
    "/accounts/{id}/members/",
    "/accounts/{id}/changes/",
    "/accounts/{id}/settings/",
    "/accounts/{id}/unlink/",
    "/accounts/{id}/delete/",
]
#: What is wider than the window, and fields that no label names.
FAULTS = """() => {
  const edge = document.documentElement.clientWidth;
  const over = [...document.querySelectorAll('body *')].filter(
    e => e.getBoundingClientRect().right > edge + 0.5 && !e.closest('.scroll, .skip, svg'));
  const wide = document.documentElement.scrollWidth > edge
    ? over.map(e => e.tagName + '.' + e.className) : [];
  const fields = [...document.querySelectorAll('input:not([type=hidden]), select, textarea')];
  const unnamed = fields.filter(f => !f.labels.length && !f.getAttribute('aria-label'));
  const buttons = [...document.querySelectorAll('button, a')].filter(b => !b.textContent.trim());
  const headings = document.querySelectorAll('h1').length;
  return {wide, unnamed: unnamed.map(f => f.outerHTML), buttons: buttons.length, headings,
          landmarks: document.querySelectorAll('main').length};
}"""


def faults(page: Page, address: str) -> list[str]:
    page.goto(address)
    seen = page.evaluate(FAULTS)
    found = [f"{address}: too wide: {seen['wide']}"] if seen["wide"] else []
    found += [f"{address}: no label for {field}" for field in seen["unnamed"]]
    found += [f"{address}: nameless button"] if seen["buttons"] else []
    found += [f"{address}: {seen['headings']} h1"] if seen["headings"] != 1 else []
    return found + ([f"{address}: no main"] if seen["landmarks"] != 1 else [])


@pytest.mark.parametrize("language", ["en", "de"])
def test_open_pages_fit_a_phone_and_name_their_fields(page: Page, language: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.set_extra_http_headers({"Accept-Language": language})

    assert [fault for address in OPEN_PAGES for fault in faults(page, address)] == []


def test_member_pages_fit_a_phone_and_name_their_fields_in_german(
    page: Page, sandbox: Sandbox, drain: Callable[[], int]
) -> None:
    sandbox.persona("ada.with.a.name.of.thirtychar", followers=60)
    sign_up(page)
    link(page, "ada.with.a.name.of.thirtychar")
    drain()
    number = str(LinkedAccount.objects.get().pk)
    page.get_by_role("button", name="Deutsch").click()
    page.set_viewport_size({"width": 360, "height": 740})

    addresses = [address.replace("{id}", number) for address in MEMBER_PAGES]

    assert [fault for address in addresses for fault in faults(page, address)] == []


def test_the_keyboard_skips_the_navigation(page: Page) -> None:
    page.goto("/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_the_site_works_without_scripts(page: Page, site: str) -> None:
    browser = page.context.browser
    assert browser
    bare = browser.new_context(base_url=site, java_script_enabled=False).new_page()

    sign_up(bare)
    bare.goto("/settings/")
    bare.get_by_label("Language").first.select_option("de")
    bare.get_by_role("button", name="Save").click()

    expect(bare.get_by_role("heading", name="Einstellungen")).to_be_visible()
    bare.context.close()
