"""The sandbox's state, without HTTP; generated from a seed."""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.instagram.sandbox.account import MICROSECONDS, Account, make_account
from accounts.instagram.sandbox.faults import Faults
from accounts.instagram.sandbox.life import Life
from accounts.instagram.sandbox.messages import BadRequest
from accounts.instagram.sandbox.oauth import TOKEN_SHAPES, OAuth
from accounts.instagram.sandbox.people import People

PERSONAE: Final = {"ada": 1_200, "bob": 300, "cleo": 30, "dora": 12_000, "emil": 0}
BIG_PERSONAE: Final = {"grace": 100_000}
MAX_FOLLOWERS: Final = 5_000_000
PROFILE_SHAPES: Final = ("flat", "docs_data_array")


@dataclass
class Script:
    """Prepared answers, each for the next call that it matches."""

    answers: deque[dict[str, Any]] = field(default_factory=deque)

    def take(self, account_id: str | None, route: str) -> dict[str, Any] | None:
        for index, answer in enumerate(self.answers):
            if answer.get("account") in (None, account_id) and answer.get("route") in (None, route):
                del self.answers[index]
                return answer
        return None


@dataclass
class Config:
    """What is kept over a reset."""

    client_id: str
    client_secret: str
    site_url: str = "http://127.0.0.1:8000"
    webhook_verify_token: str = ""
    clock: Callable[[], float] = time.time


class World:
    def __init__(self, config: Config, *, seed: int = 0, big: bool = False) -> None:
        self.config = config
        self.reset(seed, personae=PERSONAE | (BIG_PERSONAE if big else {}))

    def reset(self, seed: int, *, personae: dict[str, int] | None = None) -> None:
        self.seed = seed
        self.skipped = 0.0
        self.people = People(seed)
        self.accounts: dict[str, Account] = {}
        # Whether a request came since the state was last saved: only then can it differ.
        self.asked = True
        self.life = Life(self.people, self.accounts)
        self.oauth = OAuth(seed, self.now)
        self.faults = Faults(seed)
        self.script = Script()
        self.requests: Counter[tuple[str | None, str]] = Counter()
        #: The `fields` or `metric` of those requests.
        self.requested: dict[tuple[str | None, str], set[str]] = {}
        self.calls: dict[str, deque[float]] = {}
        self.calls_per_hour: int | None = None
        self.subscribed: dict[str, list[str]] = {}
        self.shapes: dict[str, str] = {}
        rng = random.Random(f"shapes {seed}")
        self._seeded_shapes = {
            "token": rng.choice(TOKEN_SHAPES[:3]),
            "profile": rng.choice(PROFILE_SHAPES),
        }
        for username, followers in (PERSONAE if personae is None else personae).items():
            self.add(username, followers)

    def __getstate__(self) -> dict[str, Any]:
        """Without the configuration, which belongs to the process and holds a secret."""
        return {name: value for name, value in vars(self).items() if name != "config"}

    def now(self) -> float:
        """Unix seconds; a test can skip ahead."""
        return self.config.clock() + self.skipped

    def microseconds(self) -> int:
        return int(self.now() * MICROSECONDS)

    def shape(self, kind: str) -> str:
        """`token` or `profile`: as set by control, else as drawn from the seed."""
        return self.shapes.get(kind) or self._seeded_shapes[kind]

    def add(
        self,
        username: str,
        followers: int,
        shared: list[int] | None = None,
        offset: int | None = None,
    ) -> Account:
        """Add a persona with followers of its own, except for `shared`. Raises BadRequest."""
        if self._find(username) is not None:
            raise BadRequest(f"there is a persona {username} already", 409)
        try:
            account = make_account(
                self.people,
                seed=str(self.seed),
                username=username,
                followers=followers,
                now=self.microseconds(),
                shared=shared or [],
                offset=offset,
            )
        except ValueError as error:
            raise BadRequest(str(error), 422) from None
        self.accounts[account.id] = account
        self.life.begin(account, self.microseconds())
        return account

    def account(self, account_id: str) -> Account:
        """The account after all due events. Raises BadRequest (404)."""
        account = self.accounts.get(account_id)
        if account is None:
            raise BadRequest(f"no persona has the id {account_id}", 404)
        self.life.live(account, self.microseconds())
        return account

    def persona(self, username: str) -> Account:
        account = self._find(username)
        if account is None:
            raise BadRequest(f"there is no persona {username}", 404)
        return self.account(account.id)

    def _find(self, username: str) -> Account | None:
        """By the current name: personae can be renamed too."""
        return next((a for a in self.accounts.values() if a.username == username), None)

    def used_percent(self, account_id: str) -> tuple[int, int]:
        """Percent of the hourly limit, and the minutes until calls are answered again.

        Refused calls are counted too, so that calls while throttled prolong it.
        """
        if self.calls_per_hour is None:
            return 1, 0
        calls, now = self.calls.setdefault(account_id, deque()), self.now()
        while calls and calls[0] <= now - 3600:
            calls.popleft()
        if len(calls) <= self.calls_per_hour:
            return 100 * len(calls) // max(self.calls_per_hour, 1), 0
        oldest_that_counts = calls[-self.calls_per_hour] if self.calls_per_hour else calls[-1]
        return 100, int((oldest_that_counts + 3600 - now) // 60) + 1

    def count_call(self, account_id: str) -> None:
        if self.calls_per_hour is not None:
            self.calls.setdefault(account_id, deque()).append(self.now())
