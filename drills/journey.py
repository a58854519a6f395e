"""A member's whole use of the site over HTTP, from sign-up to erasure."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from drills.browser import Answer, Browser
from drills.member import until

if TYPE_CHECKING:
    from tests.support.sandbox import Sandbox

SYNC_SECONDS = 60.0
ERASURE_SECONDS = 90.0
FOLLOWERS = 30
CODE = re.compile(r"/deletion/([0-9A-Z]{20})/")
PAGES = ("", "followers/", "members/", "changes/", "settings/", "progress/")
API = ("", "followers/", "changes/", "runs/", "snapshots/", "growth/", "digest/", "consents/")


class Broken(Exception):
    """The step that failed, and its answer."""


def whole(browser: Browser, sandbox: Sandbox) -> int:
    """Sign up, link, see all pages, pause, export, unlink, be erased; returns the steps done.

    Raises Broken at the first step with an unexpected answer.
    """
    steps = Journey(browser, sandbox)
    steps.sign_up()
    steps.link()
    steps.sync()
    steps.look_around()
    steps.change()
    steps.leave()
    return steps.taken


class Journey:
    """One member on their way; each step raises Broken where it does not end as it must."""

    def __init__(self, browser: Browser, sandbox: Sandbox) -> None:
        self.browser, self.sandbox = browser, sandbox
        self.name = f"journey.{secrets.token_hex(4)}"
        self.password = secrets.token_urlsafe(16)
        self.account = ""
        self.taken = 0

    def must(self, step: str, answer: Answer, *wanted: int) -> Answer:
        self.taken += 1
        if answer.status not in wanted:
            raise Broken(f"{step}: {answer.status} instead of {wanted[0]}")
        return answer

    def sign_up(self) -> None:
        self.must("the way in", self.browser.get("/auth/signup/"), 200)
        fields = {"email": f"{self.name}@example.org", "password1": self.password}
        self.must("signing up", self.browser.post("/auth/signup/", fields), 302)

    def link(self) -> None:
        """Tick scopes, authorize at Instagram, return."""
        self.sandbox.persona(self.name, followers=FOLLOWERS)
        page = self.must("the consents", self.browser.get("/link/"), 200)
        ticked = [("scopes", "profile"), ("scopes", "followers"), *page.hidden("hash_").items()]
        asked = self.must("going to Instagram", self.browser.post("/link/", ticked), 302)
        back = urlsplit(self.sandbox.authorize(asked.location, self.name))
        came = self.must("coming back", self.browser.get(f"{back.path}?{back.query}"), 302)
        accounts = self.must("the accounts", self.browser.get("/api/v1/accounts/"), 200).json
        if len(accounts["results"]) != 1:
            raise Broken(f"coming back: no account is linked, and one is led to {came.location}")
        self.account = str(accounts["results"][0]["id"])

    def sync(self) -> None:
        path = f"/api/v1/accounts/{self.account}/"

        def has_all() -> bool:
            return bool(self.browser.get(path).json.get("followers") == FOLLOWERS)

        if until(has_all, SYNC_SECONDS) is None:
            raise Broken(f"the first sync: no list after {SYNC_SECONDS:.0f} s")
        self.taken += 1

    def look_around(self) -> None:
        for page in PAGES:
            path = f"/accounts/{self.account}/{page}"
            self.must(path, self.browser.get(path), 200)
        for page in API:
            path = f"/api/v1/accounts/{self.account}/{page}"
            self.must(path, self.browser.get(path), 200)
        for path in ("/settings/", "/privacy/", "/api/v1/me/"):
            self.must(path, self.browser.get(path), 200)

    def change(self) -> None:
        """Pages that write to the account's own rows."""
        at = f"/accounts/{self.account}"
        self.must("an interval", self.browser.post(f"{at}/interval/", {"minutes": "60"}), 302, 200)
        self.must("a pause", self.browser.post(f"{at}/pause/", {}), 302, 200)
        self.must("its end", self.browser.post(f"{at}/resume/", {}), 302, 200)
        self.must("a sync", self.browser.post(f"{at}/sync/", {}), 302, 200)
        self.must("a copy", self.browser.post("/settings/exports/", {}), 302, 200)

    def leave(self) -> None:
        """Unlink, and wait until everything is erased."""
        at = f"/accounts/{self.account}/unlink/"
        self.must("how to leave", self.browser.get(at), 200)
        said = self.must("leaving", self.browser.post(at, {"erase": "now"}), 200)
        self.erased(said)

    def erased(self, said: Answer) -> str:
        """Wait for the erasure that the page tells of; returns its confirmation code."""
        shown = CODE.search(said.text)
        if shown is None:
            raise Broken("leaving: no confirmation code is shown")

        def completed() -> bool:
            found = self.browser.get(f"/api/v1/deletions/{shown[1]}/").json
            return bool(found.get("state") == "completed")

        if until(completed, ERASURE_SECONDS, pause=0.5) is None:
            raise Broken(f"the erasure: not completed after {ERASURE_SECONDS:.0f} s")
        self.taken += 1
        return str(shown[1])
