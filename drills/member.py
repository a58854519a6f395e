"""A member's browser and a program's client that send requests continuously and record answers."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

#: Seconds between two rounds of requests.
PAUSE_SECONDS = 0.3
#: A person would not wait longer.
PATIENCE_SECONDS = 20.0
#: Addresses that programs use: they must never answer with an HTML page.
PROGRAMS = ("api", "upload", "healthz", "readyz")


class Address(NamedTuple):
    """What is asked for; with a `body` it is sent."""

    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Seen:
    """One answer: `status` is 0 if none came."""

    what: str
    status: int
    kind: str
    began: float
    seconds: float
    retry_after: str = ""

    @property
    def outcome(self) -> str:
        """The status, and what else is wrong with the answer."""
        said = str(self.status or "no answer")
        if self.status >= 400 and self.what in PROGRAMS and "html" in self.kind:
            return f"{said} (HTML)"
        if self.status == 503 and not self.retry_after and self.what != "readyz":
            return f"{said} (no Retry-After)"
        return said


@dataclass
class Visitor:
    """Requests each of `addresses` (by name) in turn, in a thread of its own."""

    addresses: dict[str, Address]
    answers: list[Seen] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self) -> Iterator[Visitor]:
        """Send requests for as long as the block runs."""
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            thread.join(2 * PATIENCE_SECONDS)

    def _work(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            for what, address in self.addresses.items():
                self.answers.append(ask(what, *address))

    def lines(self, since: float = 0.0) -> list[str]:
        """For each address: answers of each kind, and the longest time without success."""
        return [
            self._line(what, [seen for seen in self.answers if seen.what == what], since)
            for what in self.addresses
        ]

    def _line(self, what: str, answers: list[Seen], since: float) -> str:
        parts = ", ".join(
            f"{count} × {outcome}" for outcome, count in self.outcomes(what, since).items()
        )
        gap = longest_gap([seen for seen in answers if seen.began + seen.seconds >= since])
        slowest = max((seen.seconds for seen in answers if seen.began >= since), default=0.0)
        return f"{what:8} {parts or 'none'}; {gap:.1f} s without success, slowest {slowest:.1f} s"

    def outcomes(self, what: str, since: float) -> dict[str, int]:
        """How many answers of each kind the address gave."""
        found = (seen for seen in self.answers if seen.what == what and seen.began >= since)
        return dict(sorted(Counter(seen.outcome for seen in found).items()))

    def first_ok(self, what: str, since: float) -> float | None:
        """When the first request begun after `since` was answered with 200, or None."""
        found = (s.began + s.seconds for s in self.answers if s.what == what and s.status == 200)
        return next((moment for moment in found if moment > since), None)

    def had(self, what: str, status: int, *, since: float, until: float = float("inf")) -> bool:
        """Whether such an answer came in that time."""
        return any(
            seen.what == what and seen.status == status and since <= seen.began <= until
            for seen in self.answers
        )


def longest_gap(answers: list[Seen]) -> float:
    """The longest time in seconds without a successful request, if one failed."""
    done = [seen.status in (200, 202) for seen in answers]
    if all(done):
        return 0.0
    longest, last = 0.0, answers[0].began
    for seen, well in zip(answers, done, strict=True):
        if well:
            longest = max(longest, seen.began + seen.seconds - last)
            last = seen.began + seen.seconds
    end = answers[-1]
    return max(longest, end.began + end.seconds - last)


def ask(what: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Seen:
    """One request; no answer within PATIENCE_SECONDS counts as none."""
    began = time.monotonic()
    status, kind, retry_after = 0, "", ""
    try:
        request = urllib.request.Request(url, headers=dict(headers), data=body)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            answer.read()
            status, kind = answer.status, answer.headers.get_content_type()
    except urllib.error.HTTPError as refused:
        status, kind = refused.code, refused.headers.get_content_type()
        retry_after = refused.headers.get("Retry-After", "")
        refused.close()
    except (OSError, http.client.HTTPException):
        pass
    return Seen(what, status, kind, began, time.monotonic() - began, retry_after)


def until(done: Callable[[], object], seconds: float, pause: float = 0.2) -> float | None:
    """Call `done` until it is true; the seconds this took, None if it never was."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if done():
            return time.monotonic() - began
        time.sleep(pause)
    return None
