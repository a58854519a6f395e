"""What axe-core finds on a page, somebody who cannot see or use a mouse would stumble over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from accounts.models import LinkedAccount
from tests.e2e.test_looks import MEMBER_PAGES, OPEN_PAGES
from tests.e2e.test_main_job import link, sign_up
from tests.support.sandbox import Sandbox

#: WCAG 2.2 at level AA, what the European norm EN 301 549 asks for.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
MORE_PAGES = ["/settings/webhooks/"]


def barriers(page: Page, address: str) -> list[str]:
    page.goto(address)
    options: Any = {"runOnly": {"type": "tag", "values": TAGS}}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{address}: {each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_open_pages_hold_no_barrier(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)

    assert [fault for address in OPEN_PAGES for fault in barriers(page, address)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_member_pages_hold_no_barrier(
    scheme: Any, page: Page, sandbox: Sandbox, drain: Callable[[], int]
) -> None:
    page.emulate_media(color_scheme=scheme)
    sandbox.persona("ada.reads", followers=60)
    sign_up(page)
    link(page, "ada.reads")
    drain()
    number = str(LinkedAccount.objects.get().pk)
    addresses = [each.replace("{id}", number) for each in MEMBER_PAGES + MORE_PAGES]

    assert [fault for address in addresses for fault in barriers(page, address)] == []
