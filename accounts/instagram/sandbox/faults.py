"""Applies the sandbox's faults: random choice, and the answers sent instead of the true one."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from accounts.instagram.sandbox import fault_kinds
from accounts.instagram.sandbox.account import Account
from accounts.instagram.sandbox.envelopes import THROTTLING, refusal
from accounts.instagram.sandbox.fault_kinds import INSTEAD, Value
from accounts.instagram.sandbox.messages import Response

LONGEST_CUT: Final = 8
SLOW_SECONDS: Final = (0.5, 3.0)
Kind = TypeVar("Kind", bool, int, float, str, dict[str, float])


@dataclass
class Setting:
    """Faults that were set together. `since`: microseconds; `draw` identifies the setting.

    A fault that lasts for hours begins when it is set, and anew when it is set again.
    """

    values: dict[str, Value] = field(default_factory=dict)
    since: int = 0
    draw: int = 0


class Faults:
    """The site's faults, and those of single accounts, which take precedence.

    Random choice is seeded, an account's by the seed and its name, so that the same calls meet the
    same faults whatever other accounts do.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.site = Setting()
        self.accounts: dict[str, Setting] = {}
        self._chance: dict[str, random.Random] = {}
        self._draws = 0

    def set(self, wanted: Mapping[str, Any], now: int) -> dict[str, Value]:
        """Replace the site's faults. Raises BadRequest, and then changes nothing."""
        checked = fault_kinds.checked(wanted)
        values = {name: value for name, value in checked.items() if _on(name, value)}
        self.site = self._setting(values, now)
        return values

    def set_for(self, account: Account, wanted: Mapping[str, Any], now: int) -> dict[str, Value]:
        """Replace an account's faults; 0 or false exempts it from the site's."""
        self.accounts[account.id] = self._setting(fault_kinds.checked(wanted), now)
        return self.accounts[account.id].values

    def clear_for(self, account: Account) -> dict[str, Value]:
        """Remove the account's faults; only the site's apply."""
        self.accounts.pop(account.id, None)
        return {}

    def of(self, account: Account) -> ActiveFaults:
        """The faults in force for this account."""
        chance = self._chance.get(account.id)
        if chance is None:
            name = f"faults {self.seed} {account.number}"
            chance = self._chance[account.id] = random.Random(name)
        return ActiveFaults(self.site, self.accounts.get(account.id), chance, self.seed, account)

    def _setting(self, values: dict[str, Value], now: int) -> Setting:
        self._draws += 1
        return Setting(values, now, self._draws)


def _on(name: str, value: Value) -> bool:
    return bool(value) or name == "count_with_deactivated"


class ActiveFaults:
    """The faults in force for one account, its own over the site's."""

    def __init__(
        self,
        site: Setting,
        own: Setting | None,
        rng: random.Random,
        seed: int,
        account: Account,
    ) -> None:
        self._settings = (own, site) if own is not None else (site,)
        self.rng = rng
        self._seed = seed
        self._account = account

    def setting(self, name: str) -> Setting | None:
        """The setting that decides about this fault; None if it was not set."""
        return next((each for each in self._settings if name in each.values), None)

    def value(self, name: str, kind: type[Kind]) -> Kind | None:
        """The value, if it is of this type and not off."""
        setting = self.setting(name)
        value = None if setting is None else setting.values[name]
        return value if isinstance(value, kind) and value is not False else None

    def salt(self, name: str, *, anew: bool) -> int:
        """A seed for lasting choices; `anew`: another one whenever the fault is set."""
        setting = self.setting(name)
        draw = setting.draw if anew and setting is not None else 0
        return random.Random(f"{self._seed} {self._account.number} {name} {draw}").getrandbits(64)

    def strikes(self, name: str) -> bool:
        """Whether the fault applies to this answer: by its share, or its switch."""
        setting = self.setting(name)
        value = None if setting is None else setting.values[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value is True
        return value > 0 and self.rng.random() < value

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

    def apply_transport_faults(self, response: Response) -> Response:
        """Apply faults of the transport to a finished answer."""
        if self.strikes("slow"):
            response.delay = self.rng.uniform(*SLOW_SECONDS)
        if self.strikes("truncated_json"):
            truncate(response, self.rng)
        if self.strikes("dropped"):
            response.dropped = True
        return response

    def begin_scan(self) -> None:
        """At each first page, begin, continue or end a cut."""
        account = self._account
        if account.cut is not None:
            floor, more = account.cut
            account.cut = (floor, more - 1) if more else None
        if account.cut is None and self.strikes("cut_list"):
            self.cut()

    def cut(self, scans: int | None = None) -> None:
        """Withhold between one row and half of the list, at its end."""
        shown = self._account.shown
        if not shown:
            return
        withheld = self.rng.randint(1, max(shown // 2, 1))
        floor = self._account.followers.key_at(shown - withheld)
        if floor is not None:
            self._account.cut = (floor, (scans or self.rng.randint(1, LONGEST_CUT)) - 1)

    def rows(self, body: bytes, fault: str) -> bytes:
        """Omit, repeat or shuffle rows of a page (JSON rows with a comma after each)."""
        share = self.value("omit_rows", float)
        if share and body:
            body = thin(body, self.rng, share)
        repeat = self.strikes("duplicate_rows") or fault == "duplicate_rows"
        shuffle = self.strikes("reordered_rows") or fault == "reordered_rows"
        return disturb(body, self.rng, repeat=repeat, shuffle=shuffle)


def thin(body: bytes, rng: random.Random, share: float) -> bytes:
    """Omit each row with this probability."""
    rows = [row for row in json.loads(b"[" + body[:-1] + b"]") if rng.random() >= share]
    return _written(rows)


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
    return _written(rows)


def _written(rows: list[Any]) -> bytes:
    return json.dumps(rows, separators=(",", ":"))[1:-1].encode() + b"," if rows else b""


def truncate(response: Response, rng: random.Random) -> None:
    if len(response.body) > 1:
        response.body = response.body[: rng.randrange(1, len(response.body))]


def wrong_shape(rng: random.Random) -> bytes:
    """Valid JSON with the list in another place."""
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
