"""Journeys: each thing that members, programs and transfer tools do on a site, one method each.

Each journey is asked of the site as a whole, so of whichever host comes next.
"""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from drills.browser import FORM, Answer
from drills.journey import Broken, Journey
from drills.member import until

if TYPE_CHECKING:
    from drills.browser import Browser
    from tests.support.exports import Export

PATIENCE: Final = 60.0
PROGRAM: Final = "drill-program"
SCOPES: Final = ("accounts:read", "followers:read", "followers:write")
EXPORT: Final = re.compile(r"/settings/exports/(\d+)/")
QUESTION: Final = re.compile(r"/import/(\d+)/answer/")
SALT: Final = re.compile(r'<dd class="mono">([^<]+)</dd>')
REQUEST: Final = re.compile(r'name="request" value="([^"]+)"')
WAY: Final = "/identity/o/authorize"


class Traveller(Journey):
    """A member who goes through all of it. Each method is a journey and returns what was seen."""

    number = ""
    """The account's at Instagram."""
    copy = b""
    words: tuple[str, ...] = ()
    """What nothing may hold once they are erased."""
    on_upload: Callable[[Answer], None] = staticmethod(lambda _answer: None)
    """Called once an archive was taken, with the answer."""

    def come_and_go(self) -> str:
        self.sign_up()
        self.must("signing out", self.browser.post("/auth/logout/", {}), 302)
        self.must("a page of members", self.browser.get("/settings/"), 302)
        fields = {"login": f"{self.name}@example.org", "password": self.password}
        self.must("signing in", self.browser.post("/auth/login/", fields), 302)
        hosts = {self.must("settings", self.browser.get("/settings/"), 200).host for _ in "12"}
        return f"signed up, out and in; known to {_and(hosts)}"

    def give_consent_and_link(self) -> str:
        self.link()
        self.number = self.sandbox.id_of(self.name)
        self.words = (self.name, self.number)
        given = self.must("consents", self.browser.get(f"{self._api}consents/"), 200).json
        scopes = sorted({each["scope"] for each in given["results"]})
        return f"allowed at Instagram, and back; consents in force: {', '.join(scopes)}"

    def see_the_first_list(self) -> str:
        began = time.monotonic()
        self.sync()
        return f"{self._right()} people, {_since(began)}"

    def see_who_follows_now(self) -> str:
        self.sandbox.change(self.number, follow=2)
        began = time.monotonic()
        self.must("a sync", self.browser.post(f"{self._pages}sync/", {}), 302, 200)
        self._wait("who follows now", self._is_right)
        return f"{self._right()} people, {_since(began)}"

    def look_at_every_page(self) -> str:
        before = self.taken
        self.look_around()
        return f"{self.taken - before} pages and API answers, each 200"

    def let_a_program_in(self) -> str:
        """OAuth 2.0 with PKCE, a look at the list, a renewal, and its end at the member's press."""
        token, renewal = self._granted()
        hosts = {self._as_program(token).host for _ in "12"}
        again = self._token(grant_type="refresh_token", refresh_token=renewal)
        self._as_program(again["access_token"])
        press = self.browser.post(f"/settings/programs/{PROGRAM}/revoke/", {})
        self.must("taking the access away", press, 302)
        for _host in "12":
            self._as_program(again["access_token"], wanted=401)
        return f"granted, used at {_and(hosts)}, renewed, taken back: 401 at both turns"

    def import_an_archive(self) -> str:
        export = self._export()
        sent = self._upload(export, export.name)
        self._succeeded(1)
        return f"taken by {sent.host}, read by the queue; {self._right()} people"

    def answer_a_question(self) -> str:
        """An archive that does not say whose it is."""
        sent = self._upload(self._export(), "export.zip")

        def asked() -> str:
            found = QUESTION.search(self.browser.get(self._pages).text)
            return found[1] if found else ""

        self._wait("the question", asked)
        answer = f"{self._pages}import/{asked()}/answer/"
        said = self.must("an answer", self.browser.post(answer, {"answer": "yes"}), 302)
        self._succeeded(2)
        return f"taken by {sent.host}, answered at {said.host}, imported; {self._right()} people"

    def be_transferred(self) -> str:
        """A data-transfer tool sends the export, and once more since it heard no answer."""
        from tests.support.transfer import BOUNDARY, described, related

        export = self._export()
        kind = f"multipart/related; boundary={BOUNDARY}"
        body = related(described("/Instagram", export.name), export.zip())
        tool = self._program(self._granted()[0])
        first = self.must("a transfer", tool.send("/transfer/blobs", body, kind), 201)
        second = self.must("the same again", tool.send("/transfer/blobs", body, kind), 200)
        self._succeeded(3)
        return f"taken by {first.host}, known to {second.host} as the same, imported once"

    def fetch_a_copy(self) -> str:
        asked = self.must("a copy", self.browser.post("/settings/exports/", {}), 302)
        seen = self.fetch_the_copy_of_before()
        with zipfile.ZipFile(io.BytesIO(self.copy)) as file:
            text = b"".join(file.read(name) for name in file.namelist()).decode()
        lacking = [name for name in self._people() if name not in text]
        if lacking:
            raise Broken(f"the copy: {len(lacking)} followers are not in it")
        return f"asked of {asked.host}; {seen}"

    def fetch_the_copy_of_before(self) -> str:
        def link() -> str:
            found = EXPORT.search(self.browser.get("/settings/").text)
            return found[0] if found else ""

        self._wait("the copy", link)
        path = link()
        got = [self.must("a download", self.browser.get(path), 200) for _ in "12"]
        if len({each.body for each in got} | ({self.copy} if self.copy else set())) != 1:
            raise Broken("the copy: the hosts' differ")
        self.copy = got[0].body
        return f"the same {len(self.copy):,} bytes from {_and({each.host for each in got})}"

    def unlink(self) -> str:
        """Erased at once, with a receipt."""
        began = time.monotonic()
        page = f"{self._pages}unlink/"
        self.must("how to leave", self.browser.get(page), 200)
        said = self.must("leaving", self.browser.post(page, {"erase": "now"}), 200)
        code = self.erased(said)
        took = _since(began)
        receipts = {
            self.must("the receipt", self.browser.get(f"/deletion/{code}/receipt.json"), 200).text
            for _ in "12"
        }
        if len(receipts) != 1:
            raise Broken("the receipt: the hosts' differ")
        self.receipt, self.salt = receipts.pop(), SALT.findall(said.text)[1]
        return f"erased {took}; one receipt: {json.loads(self.receipt)['rows']} rows, 0 left"

    receipt = salt = ""

    def delete_everything(self) -> str:
        me = self.must("who I am", self.browser.get("/api/v1/me/"), 200).json
        word = str(me["username"])
        self.words += (word,)
        said = self.must(
            "deleting all", self.browser.post("/settings/delete/", {"confirm": word}), 200
        )
        self.erased(said)
        for _host in "12":
            self.must("a page of members", self.browser.get("/settings/"), 302)
        return "nobody any more: signed out at both turns, erasure completed"

    # What the journeys are made of.

    @property
    def _pages(self) -> str:
        return f"/accounts/{self.account}/"

    @property
    def _api(self) -> str:
        return f"/api/v1/accounts/{self.account}/"

    def _wait(self, what: str, done: Callable[[], object]) -> None:
        if until(done, PATIENCE) is None:
            raise Broken(f"{what}: not here after {PATIENCE:.0f} s")
        self.taken += 1

    def _people(self) -> dict[str, int]:
        """Instagram's truth: names, and the unix second since when they follow."""
        rows = self.sandbox.true_list(self.number)
        return {row["username"]: _second(row["followed_at"]) for row in rows}

    def _held(self) -> set[str]:
        found: set[str] = set()
        path = f"{self._api}followers/?limit=100"
        while path:
            page = self.must("the list", self.browser.get(path), 200).json
            found |= {each["username"] for each in page["results"]}
            more = urlsplit(page.get("next") or "")
            path = f"{more.path}?{more.query}" if more.path else ""
        return found

    def _is_right(self) -> bool:
        return self._held() == set(self._people())

    def _right(self) -> int:
        held, true = self._held(), set(self._people())
        if held != true:
            raise Broken(f"the list: {len(held)} people, and {len(true)} at Instagram")
        return len(held)

    def _export(self) -> Export:
        from tests.support.exports import Export

        return Export(self._people(), owner=self.name, day=datetime.now(UTC).date())

    def _upload(self, export: Export, file_name: str) -> Answer:
        path = f"{self._pages}import/"
        sent = self.browser.upload(path, "archive", file_name, export.zip())
        self.must("an upload", sent, 302)
        if "settings" in sent.location:
            raise Broken("an upload: it was refused")
        self.on_upload(sent)
        return sent

    def _succeeded(self, count: int) -> None:
        """Until so many imports have."""

        def imports() -> int:
            runs = self.browser.get(f"{self._api}runs/?limit=100").json["results"]
            done = [run for run in runs if run["state"] == "succeeded"]
            return sum(run["mode"] == "import" for run in done)

        self._wait(f"import {count}", lambda: imports() == count)

    def _program(self, token: str = "") -> Browser:
        """A program's client: what the member's browser is, without its cookies."""
        return replace(self.browser, cookies={}, token=token)

    def _granted(self) -> tuple[str, str]:
        """The member lets the program in: its access token, and the one to renew it with."""
        from tests.support.oauth import CHALLENGE, REDIRECT, VERIFIER

        query = {
            "client_id": PROGRAM,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": " ".join(SCOPES),
            "state": "xyz",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        page = self.must("a program", self.browser.get(f"{WAY}?{urlencode(query)}"), 200)
        shown = REQUEST.search(page.text)
        if shown is None:
            raise Broken("a program: the page has no form")
        ticked = [("scopes", scope) for scope in SCOPES]
        fields = [("action", "grant"), ("request", shown[1]), *ticked]
        granted = self.must("granting", self.browser.post(WAY, fields), 302)
        code = parse_qs(urlsplit(granted.location).query)["code"][0]
        made = self._token(grant_type="authorization_code", code=code, code_verifier=VERIFIER)
        return made["access_token"], made["refresh_token"]

    def _token(self, **fields: str) -> Any:
        from tests.support.oauth import REDIRECT

        program = self._program()
        form = urlencode({"client_id": PROGRAM, "redirect_uri": REDIRECT, **fields})
        made = program.send("/identity/o/api/token", form.encode(), FORM)
        return self.must("a token", made, 200).json

    def _as_program(self, token: str, wanted: int = 200) -> Answer:
        program = self._program(token)
        return self.must("the program's look", program.get(f"{self._api}followers/"), wanted)


STAYING: Final = (
    "come_and_go", "give_consent_and_link", "see_the_first_list", "see_who_follows_now",
    "look_at_every_page", "let_a_program_in", "import_an_archive", "answer_a_question",
    "be_transferred", "fetch_a_copy",
)  # fmt: skip
LEAVING: Final = (*STAYING, "unlink", "delete_everything")


def _and(hosts: set[str]) -> str:
    return " and ".join(sorted(hosts))


def _since(began: float) -> str:
    return f"after {time.monotonic() - began:.1f} s"


def _second(moment: str | float) -> int:
    if isinstance(moment, str):
        return int(datetime.fromisoformat(moment).timestamp())
    return int(moment)
