"""The shapes in which Instagram answers, read strictly, and what we make of them.

Only shapes that were documented or seen are read (`tests/fixtures/instagram`); any other
is a WrongShape, since a misread list would report everybody lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from accounts.instagram.usage import UNKNOWN, Usage

Text = Annotated[str, msgspec.Meta(min_length=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class ShortLivedToken:
    """Lives an hour. `permissions`: None if the answer did not name them."""

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
    """How many followers Instagram counts; None if it does not say, never 0 then."""

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
    access_token: Text
    user_id: Text | int
    permissions: list[str] | str | None = None


class _ShortTokens(msgspec.Struct, frozen=True):
    data: Annotated[list[_ShortToken], msgspec.Meta(min_length=1, max_length=1)]


class _LongToken(msgspec.Struct, frozen=True):
    access_token: Text
    expires_in: Annotated[int, msgspec.Meta(gt=0)]


class _Profile(msgspec.Struct, frozen=True):
    user_id: Text | int
    username: Text
    id: Text | int | None = None


class _Profiles(msgspec.Struct, frozen=True):
    data: Annotated[list[_Profile], msgspec.Meta(min_length=1, max_length=1)]


class _Figures(msgspec.Struct, frozen=True):
    # The id tells an answer without a count from one of another shape.
    id: Text | int
    followers_count: Count | None = None


class _FiguresWrapped(msgspec.Struct, frozen=True):
    data: Annotated[list[_Figures], msgspec.Meta(min_length=1, max_length=1)]


class _Row(msgspec.Struct, frozen=True, gc=False):
    # Decoded laxly: Instagram writes ids as strings, an int is what they are to us.
    id: Annotated[int, msgspec.Meta(gt=0)]
    username: Text


class _Cursors(msgspec.Struct, frozen=True):
    after: Text | None = None


class _Paging(msgspec.Struct, frozen=True):
    cursors: _Cursors | None = None
    next: str | None = None


class _FollowerPage(msgspec.Struct, frozen=True):
    data: list[_Row]
    paging: _Paging | None = None


class _Result(msgspec.Struct, frozen=True):
    dimension_values: list[str]
    value: int


class _Breakdown(msgspec.Struct, frozen=True):
    dimension_keys: list[str]
    results: list[_Result] = []


class _Total(msgspec.Struct, frozen=True):
    value: int | None = None
    breakdowns: list[_Breakdown] = []


class _Value(msgspec.Struct, frozen=True):
    value: int
    end_time: str | None = None


class _Metric(msgspec.Struct, frozen=True):
    name: Text
    period: str = ""
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
_followers = msgspec.json.Decoder(_FollowerPage, strict=False)
_insights = msgspec.json.Decoder(_Insights)
_success = msgspec.json.Decoder(_Success)


def short_lived_token(body: bytes, usage: Usage) -> ShortLivedToken:
    """Meta documents `{"data":[…]}`; the live service was seen to answer flat."""
    answer: _ShortToken = _flat_or_wrapped(body, _short_flat, _short_wrapped)
    return ShortLivedToken(
        answer.access_token, str(answer.user_id), _permissions(answer.permissions), usage
    )


def long_lived_token(body: bytes, usage: Usage) -> LongLivedToken:
    answer = _long.decode(body)
    return LongLivedToken(answer.access_token, answer.expires_in, usage)


def profile(body: bytes, usage: Usage) -> Profile:
    answer: _Profile = _flat_or_wrapped(body, _profile_flat, _profile_wrapped)
    return Profile(
        id=None if answer.id is None else str(answer.id),
        user_id=str(answer.user_id),
        username=answer.username,
        usage=usage,
    )


def follower_count(body: bytes, usage: Usage) -> FollowerCount:
    answer: _Figures = _flat_or_wrapped(body, _figures_flat, _figures_wrapped)
    return FollowerCount(answer.followers_count, usage)


def follower_page(body: bytes, usage: Usage) -> FollowerPage:
    """`next` alone says whether there is more: a page may be empty and yet have one.

    Its value holds the access token, so it is dropped here and `after` is followed instead.
    """
    answer = _followers.decode(body)
    after = None
    if answer.paging is not None and answer.paging.next:
        after = answer.paging.cursors.after if answer.paging.cursors else None
        if after is None:
            raise msgspec.ValidationError("`next` without a cursor - at `$.paging`")
    return FollowerPage([(row.id, row.username) for row in answer.data], after, usage)


def insights(body: bytes, usage: Usage) -> Insights:
    return Insights(tuple(_metric(each) for each in _insights.decode(body).data), usage)


def success(body: bytes, usage: Usage) -> bool:
    del usage  # the same signature as the other readers
    return _success.decode(body).success


def _flat_or_wrapped(body: bytes, flat: Any, wrapped: Any) -> Any:
    """The flat error is the one to tell: it is what the live service answers."""
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
    return frozenset(name.strip() for name in names if name.strip())


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
