"""A real browser against the real site, the real queue's tasks and the sandbox Instagram."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django_q.models import OrmQ
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.support.sandbox import Sandbox

# What a browser of a test must not do: phone home, or ask for a graphics card.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread; Django would take us for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def site(live_server: LiveServer, sandbox: Sandbox, settings: Settings) -> str:
    """The site's address, linked to the sandbox in both directions."""
    settings.PUBLIC_URL = live_server.url
    sandbox.site_url = live_server.url
    policy = settings.CONTENT_SECURITY_POLICY
    directives = policy["DIRECTIVES"] | {"form-action": ["'self'", sandbox.base_url]}
    settings.CONTENT_SECURITY_POLICY = policy | {"DIRECTIVES": directives}
    return str(live_server.url)


#: The browser reports each violation of the content security policy as an event of the document.
WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) => window.policyViolated({
  page: event.documentURI, directive: event.effectiveDirective, blocked: event.blockedURI,
}));
"""


@pytest.fixture
def complaints() -> list[str]:
    """What the browser found wrong with our pages: must be empty at the end of a test."""
    return []


@pytest.fixture
def page(browser: Browser, site: str, complaints: list[str]) -> Iterator[Page]:
    """A fresh visitor. A fault in a script, or a violation of the policy, fails the test."""
    context = browser.new_context(base_url=site, locale="en-GB", timezone_id="Europe/Berlin")
    # Of every page and window that the test comes to open.
    context.on("weberror", lambda fault: complaints.append(str(fault.error)))
    context.on("console", lambda said: complaints.extend(_own_fault(said, site)))

    def violated(_source: dict[str, Any], told: dict[str, str]) -> None:
        if told["page"].startswith(site):
            complaints.append(f"{told['page']}: {told['directive']} blocked {told['blocked']}")

    context.expose_binding("policyViolated", violated)
    context.add_init_script(WATCH_POLICY)
    opened = context.new_page()
    yield opened
    for each in context.pages:
        each.evaluate("0")  # what was reported before has arrived when this is answered
    context.close()
    assert complaints == []


def _own_fault(said: ConsoleMessage, site: str) -> list[str]:
    """What the browser complains of on a page of ours; the sandbox's pages are not ours."""
    ours = said.location["url"].startswith(site)
    return [said.text] if said.type == "error" and ours else []


@pytest.fixture
def drain(site: str) -> Callable[[], int]:
    """Does what the queue holds, and what that adds to it, in this process; answers how much."""

    def do_all() -> int:
        done = 0
        while (row := OrmQ.objects.order_by("pk").first()) is not None:
            task: dict[str, Any] = row.task
            row.delete()
            module, _, name = task["func"].rpartition(".")
            getattr(import_module(module), name)(*task["args"], **task["kwargs"])
            done += 1
        return done

    return do_all
