"""The sandbox's faults: names, accepted values, and who reported each.

Values are checked completely before anything is set. A share is a number from 0 to 1; a switch is
true or false, or a share of the answers; hours are hours of the sandbox's clock. A value of 0 or
false switches a fault off, and for one account exempts it from the site's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from accounts.instagram.sandbox.messages import BadRequest

Value = bool | int | float | str | dict[str, float]

# Faults that replace the answer, in the order in which they are tried.
INSTEAD: Final = ("expired_token", "rate_limited", "service_error", "http_500")
# Also allowed in a script, each for one answer.
SINGLE: Final = (
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
ORDERS: Final = ("relevance", "fixed_random", "reversed", "random_each_time")
MOST_ROWS: Final = 5_000_000
MOST_HOURS: Final = 24 * 366
PAGE_ROWS: Final = 1000


def _number(name: str, value: Any, lowest: float, highest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadRequest(f"{name} must be a number")
    if not lowest <= value <= highest:
        raise BadRequest(f"{name} must be a number from {lowest} to {highest}")
    return float(value)


def _share(name: str, value: Any) -> Value:
    return _number(name, value, 0, 1)


def _switch(name: str, value: Any) -> Value:
    return value if isinstance(value, bool) else _share(name, value)


def _rounding(name: str, value: Any) -> Value:
    """A switch, or an integer from 2 on: the unit to which every count is rounded."""
    if isinstance(value, int) and value > 1:
        return _whole(name, value, 2, MOST_ROWS)
    return _switch(name, value)


def _flag(name: str, value: Any) -> Value:
    if not isinstance(value, bool):
        raise BadRequest(f"{name} must be true or false")
    return value


def _hours(name: str, value: Any) -> Value:
    return _number(name, value, 0, MOST_HOURS)


def _whole(name: str, value: Any, lowest: int, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise BadRequest(f"{name} must be a whole number from {lowest} to {highest}")
    return value


def _order(name: str, value: Any) -> Value:
    if not isinstance(value, str) or value not in ORDERS:
        raise BadRequest(f"{name} must be one of: {', '.join(ORDERS)}")
    return value


def _parts(**checks: Callable[[str, Any], float]) -> Callable[[str, Any], Value]:
    """An object with exactly these fields; false switches it off."""

    def check(name: str, value: Any) -> Value:
        if value is False:
            return value
        if not isinstance(value, dict) or set(value) != set(checks):
            raise BadRequest(f"{name} must be an object of {' and '.join(checks)}")
        return {part: each(f"{name}: {part}", value[part]) for part, each in checks.items()}

    return check


def _part_share(name: str, value: Any) -> float:
    return _number(name, value, 0, 1)


def _part_hours(name: str, value: Any) -> float:
    hours = _number(name, value, 0, MOST_HOURS)
    if not hours:
        raise BadRequest(f"{name} must be more than 0")
    return hours


def _part_rows(name: str, value: Any) -> float:
    return _whole(name, value, 1, MOST_ROWS)


# Faults of lists that were reported, beside SINGLE.
CHECKS: Final[dict[str, Callable[[str, Any], Value]]] = {
    **dict.fromkeys(SINGLE, _share),
    # Only the newest N are ever shown, the count tells of more: "Followers is capped at 50"
    # (subzeroid/instagrapi#1006), always 186 (charlieAndroidDev/Instagram4Android#92), no row past
    # 7,345 (mgp25/Instagram-API#1340), the 105 oldest of 7,500 missing (dilame/
    # instagram-private-api#1042).
    "cap_rows": lambda name, value: value if value is False else _whole(name, value, 1, MOST_ROWS),
    # Each answer leaves out each row with this chance, others each time: sometimes 132, sometimes
    # 128 of 150 (vasilisa-che/instagram-followers-and-bio-scraper#1), "a different number of users
    # each time" (russdreamer/instagram-followers-statistics#14).
    "omit_rows": _share,
    # So many neighbours are missing for so many hours, then they are back: a contiguous stretch of
    # people is not listed while the count has them (dilame/instagram-private-api#1042).
    "omit_block": _parts(rows=_part_rows, hours=_part_hours),
    # The same people, a share of all, are missing for so many hours: 194 of 214 at each reading
    # (sbertix/Swiftagram#161, ping/instagram_private_api#335); one who follows is on no page until
    # they follow anew (mastodon/mastodon#35638).
    "omit_same": _parts(share=_part_share, hours=_part_hours),
    # This share of the pages shows the list as it was so many hours ago: servers that agree only
    # in the end, met in turn (justintv/Twitch-API#314); a list still old after 24 hours
    # (subzeroid/instagrapi#941).
    "stale": _parts(share=_part_share, hours=_part_hours),
    # relevance: one in eight stands on top, others each day. No longer by time since 2021
    # (austinhuang0131/barinsta#1398), random (dilame/instagram-private-api#1290), "all over the
    # place" (eni9889/IG-PP-Issues#193), earliest first where asked (subzeroid/instagrapi#2512).
    "order": lambda name, value: value if value is False else _order(name, value),
    # The count is taken once in so many hours and repeated meanwhile: a cached value (instaloader/
    # instaloader#1267), "not updated every time" (TheM4hd1/SwiftyInsta#73).
    "count_frozen_hours": _hours,
    # The count has three figures that tell, as in "10.1K" (bluesky-social/social-app#5218), or is
    # rounded to a unit of one's choice.
    "count_rounded": _rounding,
    # Whether the count holds the deactivated, whom no list shows (TheM4hd1/SwiftyInsta#73, sbertix/
    # Swiftagram#161). They are counted unless this is false.
    "count_with_deactivated": _flag,
    # A page begins with the last rows of the one before: repeated people in the whole list
    # (ramtinak/InstagramApiSharp#390, mastodon/mastodon#8436).
    "overlapping_pages": _switch,
    # A page never has more rows, whatever is asked for: "a maximum of 50 results per query"
    # (InstaPy/InstaPy#1883), decided by Instagram (subzeroid/instagrapi#2154).
    "max_page_rows": lambda name, value: (
        value if value is False else _whole(name, value, 1, PAGE_ROWS)
    ),
    # A cursor is not accepted: "Invalid cursors values" (facebook/facebook-java-business-sdk#292).
    "cursor_refused": _switch,
    # A cursor leads past one whole page: "an offset of one page" (owncast/owncast#2835).
    "cursor_skips": _switch,
    # A page comes twice, under a new cursor (LevPasha/Instagram-API-python#18 and #104, mgp25/
    # Instagram-API#602 and #775).
    "cursor_repeats": _switch,
}
NAMES: Final = tuple(CHECKS)
# The value of a bare name on the command line.
DEFAULTS: Final[dict[str, Value]] = {
    **dict.fromkeys(SINGLE, 0.1),
    "cap_rows": 250,
    "omit_rows": 0.03,
    "omit_block": {"rows": 20, "hours": 24.0},
    "omit_same": {"share": 0.05, "hours": 24.0},
    "stale": {"share": 0.2, "hours": 12.0},
    "order": "relevance",
    "count_frozen_hours": 24.0,
    "count_rounded": True,
    "count_with_deactivated": False,
    "overlapping_pages": 0.1,
    "max_page_rows": 50,
    "cursor_refused": 0.1,
    "cursor_skips": 0.1,
    "cursor_repeats": 0.1,
}


def checked(wanted: Mapping[str, Any]) -> dict[str, Value]:
    """The values in stored form. Raises BadRequest."""
    found: dict[str, Value] = {}
    for name, value in wanted.items():
        check = CHECKS.get(name)
        if check is None:
            raise BadRequest(f"unknown fault {name}; there are: {', '.join(NAMES)}")
        found[name] = check(name, value)
    return found


def from_words(words: list[str]) -> dict[str, Value]:
    """`NAME` or `NAME=VALUE` of a command line; a value is JSON or a word. Raises BadRequest."""
    wanted: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            wanted[name] = DEFAULTS.get(name)
            continue
        try:
            wanted[name] = json.loads(text)
        except ValueError:
            wanted[name] = text
    return checked(wanted)
