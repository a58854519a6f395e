"""The API's own page works in a browser under the site's strict policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_api_describes_itself_in_the_browser(page: Page):
    page.goto("/api/docs/")

    expect(page.get_by_role("heading", name="Threadsite API")).to_be_visible()
    page.locator("#operations-accounts-accounts_sync").get_by_role("button").first.click()
    expect(page.get_by_text("Sync now; 409 carries the run that is under way")).to_be_visible()
    expect(page.get_by_text("Too often, or Instagram's limit is used up").first).to_be_visible()
