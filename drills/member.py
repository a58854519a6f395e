"""A member's browser and a program's client, which ask all the time and note what they get."""

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

#: Between two rounds of requests.
PAUSE_SECONDS = 0.3
#: A person would have gone by then.
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Seen:
    """One answer: `status` is 0 where none came."""

    what: str
    status: int
    kind: str
    began: float
    seconds: float


@dataclass
class Visitor:
    """Asks for each of `addresses` (URL and headers by name) in turn, in a thread of its own."""

    addresses: Mapping[str, tuple[str, Mapping[str, str]]]
    answers: list[Seen] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self) -> Iterator[Visitor]:
        """Ask for as long as the block runs."""
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            thread.join(2 * PATIENCE_SECONDS)

    def _work(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            for what, (url, headers) in self.addresses.items():
                self.answers.append(ask(what, url, headers))

    def lines(self, since: float = 0.0) -> list[str]:
        """For each address: how many answers of each status, and the longest time without a 200."""
        return [
            self._line(what, [seen for seen in self.answers if seen.what == what], since)
            for what in self.addresses
        ]

    def _line(self, what: str, answers: list[Seen], since: float) -> str:
        counted = Counter(
            f"{seen.status or 'no answer'}" + (" (HTML)" if _wrong_kind(seen) else "")
            for seen in answers
            if seen.began >= since
        )
        parts = ", ".join(f"{count} × {status}" for status, count in sorted(counted.items()))
        gap = longest_gap([seen for seen in answers if seen.began + seen.seconds >= since])
        slowest = max((seen.seconds for seen in answers if seen.began >= since), default=0.0)
        return f"{what:8} {parts or 'none'}; {gap:.1f} s without 200, slowest {slowest:.1f} s"

    def first_ok(self, what: str, since: float) -> float | None:
        """When the first request that began after `since` was answered with 200; None: none was."""
        found = (s.began + s.seconds for s in self.answers if s.what == what and s.status == 200)
        return next((moment for moment in found if moment > since), None)

    def had(self, what: str, status: int, *, since: float, until: float = float("inf")) -> bool:
        """Whether such an answer came in that time."""
        return any(
            seen.what == what and seen.status == status and since <= seen.began <= until
            for seen in self.answers
        )


def _wrong_kind(seen: Seen) -> bool:
    """A page for people where a program asked."""
    return seen.what == "api" and seen.status >= 400 and "html" in seen.kind


def longest_gap(answers: list[Seen]) -> float:
    """The longest time in seconds in which no request was answered with 200, if one failed."""
    if all(seen.status == 200 for seen in answers):
        return 0.0
    longest, last = 0.0, answers[0].began
    for seen in answers:
        if seen.status == 200:
            longest = max(longest, seen.began + seen.seconds - last)
            last = seen.began + seen.seconds
    end = answers[-1]
    return max(longest, end.began + end.seconds - last)


def ask(what: str, url: str, headers: Mapping[str, str]) -> Seen:
    """One request; an answer that does not come within PATIENCE_SECONDS counts as none."""
    began = time.monotonic()
    status, kind = 0, ""
    try:
        request = urllib.request.Request(url, headers=dict(headers))
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            answer.read()
            status, kind = answer.status, answer.headers.get_content_type()
    except urllib.error.HTTPError as refused:
        status, kind = refused.code, refused.headers.get_content_type()
        refused.close()
    except (OSError, http.client.HTTPException):
        pass
    return Seen(what, status, kind, began, time.monotonic() - began)


def until(done: Callable[[], object], seconds: float, pause: float = 0.2) -> float | None:
    """Ask `done` until it is true; after how many seconds it was, None when it never was."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if done():
            return time.monotonic() - began
        time.sleep(pause)
    return None
