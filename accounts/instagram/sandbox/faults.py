"""What goes wrong, and how often: all that a follower list was seen to do to its readers."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any, Final

from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.envelopes import THROTTLING, refusal
from accounts.instagram.sandbox.messages import BadRequest, Response

FAULTS: Final = (
    "empty_page",
    "cut_list",
    "truncated_json",
    "duplicate_rows",
    "reordered_rows",
    "rate_limited",
    "service_error",
    "http_500",
    "slow",
    "dropped",
    "wrong_shape",
    "count_drift",
    "moving_cursor",
    "expired_token",
)
# Those in place of the answer, in the order in which they are tried.
INSTEAD: Final = ("expired_token", "rate_limited", "service_error", "http_500")
LONGEST_CUT: Final = 8
SLOW_SECONDS: Final = (0.5, 3.0)


class Faults:
    """Chance comes from the seed, so that the same calls meet the same faults."""

    def __init__(self, seed: int) -> None:
        self.probabilities: dict[str, float] = {}
        self.rng = random.Random(f"faults {seed}")

    def set(self, wanted: Mapping[str, Any]) -> None:
        """Replaces all. Raises BadRequest, and then changes nothing."""
        for name, value in wanted.items():
            if name not in FAULTS:
                raise BadRequest(f"unknown fault {name}; there are: {', '.join(FAULTS)}")
            if (
                isinstance(value, bool)
                or not isinstance(value, (int, float))
                or not 0 <= value <= 1
            ):
                raise BadRequest(f"the probability of {name} must be a number from 0 to 1")
        self.probabilities = {name: float(value) for name, value in wanted.items() if value}

    def strikes(self, name: str) -> bool:
        probability = self.probabilities.get(name, 0.0)
        return bool(probability) and self.rng.random() < probability

    def instead(self) -> Response | None:
        """An answer in place of the true one, for any call with a token."""
        for name in INSTEAD:
            if self.strikes(name):
                return self.make(name)
        return None

    def make(self, name: str) -> Response:
        """The answer of one of INSTEAD."""
        if name == "expired_token":
            return refusal("190_463_expired")
        if name == "service_error":
            return refusal(self.rng.choice(("1_unknown", "2_transient")))
        if name == "http_500":
            page = b"<html><body><h1>Sorry, something went wrong.</h1></body></html>"
            return Response(500, page, content_type="text/html")
        return self._throttled()

    def _throttled(self) -> Response:
        response = refusal(self.rng.choice(THROTTLING))
        if self.rng.random() < 0.5:
            response.status = 429
        usage = {
            "type": "instagram",
            "call_count": 100,
            "total_cputime": 25,
            "total_time": 25,
            "estimated_time_to_regain_access": self.rng.randint(1, 3),
        }
        response.headers["X-Business-Use-Case-Usage"] = json.dumps({"17841400000000000": [usage]})
        return response

    def on_the_way(self, response: Response) -> Response:
        """What happens to a finished answer between Instagram and us."""
        if self.strikes("slow"):
            response.delay = self.rng.uniform(*SLOW_SECONDS)
        if self.strikes("truncated_json"):
            truncate(response, self.rng)
        if self.strikes("dropped"):
            response.dropped = True
        return response

    def begin_scan(self, account: Account) -> None:
        """At each first page: does a cut begin, go on, or end?"""
        if account.cut is not None:
            floor, more = account.cut
            account.cut = (floor, more - 1) if more else None
        if account.cut is None and self.strikes("cut_list"):
            self.cut(account)

    def cut(self, account: Account, scans: int | None = None) -> None:
        """Withholds anything from one row to half of the list, at its end."""
        shown = account.shown
        if not shown:
            return
        withheld = self.rng.randint(1, max(shown // 2, 1))
        floor = account.followers.key_at(shown - withheld)
        if floor is not None:
            account.cut = (floor, (scans or self.rng.randint(1, LONGEST_CUT)) - 1)

    def rows(self, body: bytes) -> bytes:
        """Repeats or shuffles rows of a page (JSON rows with commas behind)."""
        repeat, shuffle = self.strikes("duplicate_rows"), self.strikes("reordered_rows")
        return disturb(body, self.rng, repeat=repeat, shuffle=shuffle)


def disturb(body: bytes, rng: random.Random, *, repeat: bool, shuffle: bool) -> bytes:
    if not body or not (repeat or shuffle):
        return body
    rows = json.loads(b"[" + body[:-1] + b"]")
    if repeat:
        for row in rng.sample(rows, rng.randint(1, min(len(rows), 20))):
            rows.insert(rng.randrange(len(rows) + 1), row)
    if shuffle:
        start = rng.randrange(len(rows))
        part = rows[start : start + max(len(rows) // 3, 3)]
        rng.shuffle(part)
        rows[start : start + len(part)] = part
    return json.dumps(rows, separators=(",", ":"))[1:-1].encode() + b","


def truncate(response: Response, rng: random.Random) -> None:
    if len(response.body) > 1:
        response.body = response.body[: rng.randrange(1, len(response.body))]


def wrong_shape(rng: random.Random) -> bytes:
    """JSON without fault, in which the list is not where it was."""
    documents: tuple[Any, ...] = (
        {"followers": [], "paging": {}},
        {"data": None},
        {"data": {"users": []}},
        {"data": [{"pk": "17841400000000001", "user_name": "someone"}]},
        {"data": ["someone"]},
        {"status": "ok"},
        [],
    )
    return json.dumps(rng.choice(documents)).encode()
