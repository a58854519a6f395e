"""Instagram's answers: strict msgspec schemas, and the values read from them.

Only documented or seen structures are accepted (`tests/fixtures/instagram`); any other is a
WrongShape, since a misread list would report everybody lost. The same holds for a value that cannot
be valid, or that our columns cannot hold: then nothing else of the answer is reliable.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from accounts.instagram.usage import UNKNOWN, Usage

#: The limits of bigint and integer columns. Nobody has so many followers.
BIGGEST_ID: Final = (1 << 63) - 1
BIGGEST_COUNT: Final = (1 << 31) - 1

# Python's patterns: `$` would let a line feed through.
DIGITS: Final = "[1-9][0-9]{0,18}"
# Written as a string by Instagram; a number is seen in some shapes. Never true, 1.0 or " 1".
Id = (
    Annotated[str, msgspec.Meta(pattern=rf"\A{DIGITS}\Z")]
    | Annotated[int, msgspec.Meta(gt=0, le=BIGGEST_ID)]
)
# Instagram's names have at most 30 characters; the limit is theirs to raise, the rest is not.
NAME: Final = "[A-Za-z0-9._]{1,64}"
Username = Annotated[str, msgspec.Meta(pattern=rf"\A{NAME}\Z")]
# Tokens and cursors are opaque, and travel in a query string.
Opaque = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,4000}\Z")]
Word = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_.]{1,64}\Z")]
# Names of metrics, cities, ages: any letters, without control characters.
Label = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00-\x1f\x7f-\x9f]{0,200}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=BIGGEST_COUNT)]
Seconds = Annotated[int, msgspec.Meta(gt=0, le=BIGGEST_COUNT)]


@dataclass(frozen=True, slots=True)
class ShortLivedToken:
    """Valid for an hour. `permissions`: None if the answer did not name them."""

    access_token: str
    user_id: str
    permissions: frozenset[str] | None
    usage: Usage = UNKNOWN

    def __repr__(self) -> str:
        return f"ShortLivedToken(user_id={self.user_id!r})"


@dataclass(frozen=True, slots=True)
class LongLivedToken:
    """`expires_in`: seconds from the answer on, about 60 days."""

    access_token: str
    expires_in: int
    usage: Usage = UNKNOWN

    def __repr__(self) -> str:
        return f"LongLivedToken(expires_in={self.expires_in})"


@dataclass(frozen=True, slots=True)
class Profile:
    """`id`: app-scoped, None if not given. `user_id`: the professional account (1784…)."""

    id: str | None
    user_id: str
    username: str
    usage: Usage = UNKNOWN


@dataclass(frozen=True, slots=True)
class FollowerCount:
    """Instagram's number of followers; None if it is not stated, never 0 then."""

    followers: int | None
    usage: Usage = UNKNOWN


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """`rows` newest first, as sent, repeated rows too. `after`: None after the last page."""

    rows: list[tuple[int, str]]
    after: str | None
    usage: Usage = UNKNOWN


@dataclass(frozen=True, slots=True)
class Breakdown:
    keys: tuple[str, ...]
    results: tuple[tuple[tuple[str, ...], int], ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """`values`: (end_time, value) of a series; `total`: of a total; both absent is no zero."""

    name: str
    period: str
    values: tuple[tuple[str | None, int], ...]
    total: int | None
    breakdowns: tuple[Breakdown, ...]


@dataclass(frozen=True, slots=True)
class Insights:
    """`metrics` is empty when Instagram has no data (few followers, too recent): not zero."""

    metrics: tuple[Metric, ...]
    usage: Usage = UNKNOWN


class _ShortToken(msgspec.Struct, frozen=True):
    access_token: Opaque
    user_id: Id
    permissions: list[Word] | str | None = None


class _ShortTokens(msgspec.Struct, frozen=True):
    data: Annotated[list[_ShortToken], msgspec.Meta(min_length=1, max_length=1)]


class _LongToken(msgspec.Struct, frozen=True):
    access_token: Opaque
    expires_in: Seconds


class _Profile(msgspec.Struct, frozen=True):
    user_id: Id
    username: Username
    id: Id | None = None


class _Profiles(msgspec.Struct, frozen=True):
    data: Annotated[list[_Profile], msgspec.Meta(min_length=1, max_length=1)]


class _Figures(msgspec.Struct, frozen=True):
    # The id tells an answer without a count from one of another structure.
    id: Id
    followers_count: Count | None = None


class _FiguresWrapped(msgspec.Struct, frozen=True):
    data: Annotated[list[_Figures], msgspec.Meta(min_length=1, max_length=1)]


class _Row(msgspec.Struct, frozen=True, gc=False):
    # The patterns are checked for all rows at once: one by one costs five times as much.
    id: str | int
    username: str


class _Cursors(msgspec.Struct, frozen=True):
    after: Opaque | None = None


class _Paging(msgspec.Struct, frozen=True):
    cursors: _Cursors | None = None
    next: str | None = None


class _FollowerPage(msgspec.Struct, frozen=True):
    data: list[_Row]
    paging: _Paging | None = None


class _Result(msgspec.Struct, frozen=True):
    dimension_values: list[Label]
    value: Count


class _Breakdown(msgspec.Struct, frozen=True):
    dimension_keys: list[Label]
    results: list[_Result] = []


class _Total(msgspec.Struct, frozen=True):
    value: Count | None = None
    breakdowns: list[_Breakdown] = []


class _Value(msgspec.Struct, frozen=True):
    value: Count
    end_time: Label | None = None


class _Metric(msgspec.Struct, frozen=True):
    name: Label
    period: Label = ""
    values: list[_Value] = []
    total_value: _Total | None = None


class _Insights(msgspec.Struct, frozen=True):
    data: list[_Metric]


class _Success(msgspec.Struct, frozen=True):
    success: bool


_short_flat = msgspec.json.Decoder(_ShortToken)
_short_wrapped = msgspec.json.Decoder(_ShortTokens)
_long = msgspec.json.Decoder(_LongToken)
_profile_flat = msgspec.json.Decoder(_Profile)
_profile_wrapped = msgspec.json.Decoder(_Profiles)
_figures_flat = msgspec.json.Decoder(_Figures)
_figures_wrapped = msgspec.json.Decoder(_FiguresWrapped)
_followers = msgspec.json.Decoder(_FollowerPage)
_insights = msgspec.json.Decoder(_Insights)
_success = msgspec.json.Decoder(_Success)
_are_ids = re.compile(rf"(?:{DIGITS}+\n)*+").fullmatch
_are_names = re.compile(rf"(?:{NAME}+\n)*+").fullmatch


def short_lived_token(body: bytes, usage: Usage) -> ShortLivedToken:
    """Meta documents `{"data":[…]}`; the live service was seen to answer flat."""
    answer: _ShortToken = _flat_or_wrapped(body, _short_flat, _short_wrapped)
    return ShortLivedToken(
        answer.access_token, str(_number(answer.user_id)), _permissions(answer.permissions), usage
    )


def long_lived_token(body: bytes, usage: Usage) -> LongLivedToken:
    answer = _long.decode(body)
    return LongLivedToken(answer.access_token, answer.expires_in, usage)


def profile(body: bytes, usage: Usage) -> Profile:
    answer: _Profile = _flat_or_wrapped(body, _profile_flat, _profile_wrapped)
    return Profile(
        id=None if answer.id is None else str(_number(answer.id)),
        user_id=str(_number(answer.user_id)),
        username=answer.username,
        usage=usage,
    )


def follower_count(body: bytes, usage: Usage) -> FollowerCount:
    answer: _Figures = _flat_or_wrapped(body, _figures_flat, _figures_wrapped)
    return FollowerCount(answer.followers_count, usage)


def follower_page(body: bytes, usage: Usage) -> FollowerPage:
    """Only `next` says whether there is more: a page may be empty and yet have one.

    Its value holds the access token, so it is dropped here and `after` is followed instead.
    """
    answer = _followers.decode(body)
    after = None
    if answer.paging is not None and answer.paging.next:
        after = answer.paging.cursors.after if answer.paging.cursors else None
        if after is None:
            raise msgspec.ValidationError("`next` without a cursor - at `$.paging`")
    return FollowerPage(_rows(answer.data), after, usage)


def _rows(given: list[_Row]) -> list[tuple[int, str]]:
    """All rows, or a ValidationError if one is invalid."""
    ids = [str(row.id) for row in given]
    names = [row.username for row in given]
    if not _each(_are_ids, ids):
        raise msgspec.ValidationError("Expected an id - at `$.data[...].id`")
    if not _each(_are_names, names):
        raise msgspec.ValidationError("Expected a username - at `$.data[...].username`")
    numbers = list(map(int, ids))
    _refuse_over_bigint(max(numbers, default=0))
    return list(zip(numbers, names, strict=True))


def _each(are: Callable[[str], object], texts: list[str]) -> bool:
    """Whether `are` accepts every text, and each is one line; a text may hold line feeds."""
    lines = "\n".join([*texts, ""])
    return lines.count("\n") == len(texts) and are(lines) is not None


def insights(body: bytes, usage: Usage) -> Insights:
    return Insights(tuple(_metric(each) for each in _insights.decode(body).data), usage)


def success(body: bytes, usage: Usage) -> bool:
    del usage  # the same signature as the other readers
    return _success.decode(body).success


def _flat_or_wrapped(body: bytes, flat: Any, wrapped: Any) -> Any:
    """Report the error of the flat form, which the live service uses."""
    try:
        return flat.decode(body)
    except msgspec.ValidationError:
        try:
            return wrapped.decode(body).data[0]
        except msgspec.ValidationError:
            pass
        raise


def _permissions(given: list[str] | str | None) -> frozenset[str] | None:
    if given is None:
        return None
    names = given.split(",") if isinstance(given, str) else given
    stripped = [name.strip() for name in names]
    return frozenset(msgspec.convert([name for name in stripped if name], list[Word]))


def _number(given: str | int) -> int:
    number = int(given)
    _refuse_over_bigint(number)
    return number


def _refuse_over_bigint(number: int) -> None:
    """Nineteen digits may exceed a bigint."""
    if number > BIGGEST_ID:
        raise msgspec.ValidationError("Expected an id below 2^63")


def _metric(answer: _Metric) -> Metric:
    total = answer.total_value
    return Metric(
        name=answer.name,
        period=answer.period,
        values=tuple((value.end_time, value.value) for value in answer.values),
        total=total.value if total else None,
        breakdowns=tuple(
            Breakdown(
                tuple(each.dimension_keys),
                tuple((tuple(r.dimension_values), r.value) for r in each.results),
            )
            for each in (total.breakdowns if total else ())
        ),
    )
