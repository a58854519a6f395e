"""Instagram API client: typed answers, errors named by the required reaction.

It never retries: callers know the budget and whether consent is still in force. Tokens are in the
query string, as Instagram's protocol requires. So no URL may leave this module, neither in an
exception, its cause or context, nor in a log.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
from django.conf import settings

from accounts import clock, counters
from accounts.errors import RetryLater, ThreadsiteError
from accounts.instagram import errors, schemas
from accounts.instagram.schemas import (
    Breakdown,
    FollowerCount,
    FollowerPage,
    Insights,
    LongLivedToken,
    Metric,
    Profile,
    ShortLivedToken,
)
from accounts.instagram.usage import UNKNOWN, Percentages, Usage, parse_retry_after, parse_usage
from accounts.outbound.budget import within
from accounts.outbound.client import Client, OutboundError, client_for_operator_url

__all__ = [
    "Breakdown",
    "FollowerCount",
    "FollowerPage",
    "Gateway",
    "Insights",
    "LongLivedToken",
    "Metric",
    "Percentages",
    "Profile",
    "ShortLivedToken",
    "Usage",
    "from_settings",
    "usage_of",
]

API_VERSION = "v25.0"
# What linking needs, and what each scope with a count permits: never more in one request.
PROFILE_FIELDS = "id,user_id,username"
COUNT_FIELDS = "id,followers_count"
MAX_PAGE = 1000
# A page of 1000 rows is about 60 kB; no genuine answer comes near this.
MAX_BYTES = 8 * 1024 * 1024
MAX_HEAD = 128 * 1024
DEFAULT_TIMEOUT = 20.0
# Sockets are kept per host; more threads than this in one worker open and close their own.
POOL_SIZE = 32
HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip"}
FORM_HEADERS = {**HEADERS, "Content-Type": "application/x-www-form-urlencoded"}

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class _NoQueries(logging.Filter):
    """Cuts the query off URLs in urllib3's log, at DEBUG and for broken headers."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                each.partition("?")[0] if isinstance(each, str) else each for each in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_NoQueries())


def _client() -> Client:
    return client_for_operator_url(kept=POOL_SIZE)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """One app at Instagram. Safe to share between threads, not across a fork.

    Every method may raise RetryLater, WaitUntil, NeedsReconnect, UnlinkedByInstagram,
    PermissionMissing, Gone or WrongShape. `timeout`: seconds for a whole call.
    """

    oauth_url: str
    api_url: str
    graph_url: str
    client_id: str
    client_secret: str = field(repr=False)
    timeout: float = DEFAULT_TIMEOUT
    now: Callable[[], datetime] = field(default=clock.now, repr=False)
    client: Client = field(default_factory=_client, repr=False, compare=False)

    def exchange_code(self, code: str, redirect_uri: str) -> ShortLivedToken:
        """Single use, within an hour. Raises InvalidInput if the code is refused."""
        form = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            # Copied from an address bar, the code ends in the fragment `#_`.
            "code": code.removesuffix("#_"),
        }
        url = f"{self.api_url}/oauth/access_token"
        return self._call("exchange_code", "POST", url, schemas.short_lived_token, form=form)

    def long_lived(self, access_token: str) -> LongLivedToken:
        """Exchange a token of one hour for one of 60 days."""
        parameters = {
            "grant_type": "ig_exchange_token",
            "client_secret": self.client_secret,
            "access_token": access_token,
        }
        return self._get("long_lived", "access_token", schemas.long_lived_token, parameters)

    def refresh(self, access_token: str) -> LongLivedToken:
        """A new token replaces the old one, which must be 24 h old and not expired."""
        parameters = {"grant_type": "ig_refresh_token", "access_token": access_token}
        return self._get("refresh", "refresh_access_token", schemas.long_lived_token, parameters)

    def me(self, access_token: str) -> Profile:
        """The ids and username of the token's account, nothing else."""
        parameters = {"fields": PROFILE_FIELDS, "access_token": access_token}
        return self._get("me", f"{API_VERSION}/me", schemas.profile, parameters)

    def follower_count(self, access_token: str) -> FollowerCount:
        """Instagram's own figure, which counts people whom no list shows."""
        parameters = {"fields": COUNT_FIELDS, "access_token": access_token}
        return self._get("me", f"{API_VERSION}/me", schemas.follower_count, parameters)

    def followers(
        self, access_token: str, user_id: str, edge: str, limit: int, after: str | None
    ) -> FollowerPage:
        """One page, newest first. `limit` 1..1000; `after` from the page before, or None."""
        parameters = {"fields": "id,username", "limit": str(limit), "access_token": access_token}
        if after is not None:
            parameters["after"] = after
        path = f"{API_VERSION}/{quote(user_id, safe='')}/{quote(edge, safe='')}"
        return self._get("followers", path, schemas.follower_page, parameters)

    def insights(
        self,
        access_token: str,
        user_id: str,
        *,
        metrics: Sequence[str],
        period: str = "day",
        parameters: Mapping[str, str] | None = None,
    ) -> Insights:
        """`parameters`: metric_type, breakdown, timeframe, since, until (unix seconds)."""
        query = {
            "metric": ",".join(metrics),
            "period": period,
            **(parameters or {}),
            "access_token": access_token,
        }
        path = f"{API_VERSION}/{quote(user_id, safe='')}/insights"
        return self._get("insights", path, schemas.insights, query)

    def subscribe(self, access_token: str, fields: Sequence[str]) -> bool:
        """Subscribe this account to webhooks; Instagram has no field for follows."""
        form = {"subscribed_fields": ",".join(fields), "access_token": access_token}
        url = f"{self.graph_url}/{API_VERSION}/me/subscribed_apps"
        return self._call("subscribe", "POST", url, schemas.success, form=form)

    def unsubscribe(self, access_token: str) -> bool:
        return self._delete("unsubscribe", "subscribed_apps", access_token)

    def revoke(self, access_token: str) -> bool:
        """Revoke the app's permissions. Documented for Facebook, inferred for Instagram."""
        return self._delete("revoke", "permissions", access_token)

    def _delete(self, route: str, edge: str, access_token: str) -> bool:
        query = urlencode({"access_token": access_token})
        url = f"{self.graph_url}/{API_VERSION}/me/{edge}?{query}"
        return self._call(route, "DELETE", url, schemas.success)

    def _get(
        self,
        route: str,
        path: str,
        read: Callable[[bytes, Usage], Answer],
        parameters: Mapping[str, str],
    ) -> Answer:
        return self._call(route, "GET", f"{self.graph_url}/{path}?{urlencode(parameters)}", read)

    def _call(
        self,
        route: str,
        method: str,
        url: str,
        read: Callable[[bytes, Usage], Answer],
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Errors are raised outside `except`, so that none carries the URL in its context.

        The error also carries the answer's `usage`: Instagram counts refused calls.
        """
        result = self._result(route, self._send(route, method, url, form), read)
        if isinstance(result, ThreadsiteError):
            counters.count("instagram_calls", route=route, outcome=result.code)
            raise result
        counters.count("instagram_calls", route=route, outcome="ok")
        return result

    def _result(
        self,
        route: str,
        answer: tuple[int, bytes, Usage, timedelta] | RetryLater,
        read: Callable[[bytes, Usage], Answer],
    ) -> Answer | ThreadsiteError:
        """Return the answer's value, or raise its error."""
        if isinstance(answer, RetryLater):
            return answer
        status, body, usage, wait = answer
        if status != 200:
            result: Answer | ThreadsiteError = errors.from_answer(
                status, body, now=self.now, wait=wait
            )
        else:
            result = _read(route, body, usage, read)
            if isinstance(result, ThreadsiteError) and errors.is_envelope(body):
                result = errors.from_answer(status, body, now=self.now, wait=wait)
        if isinstance(result, ThreadsiteError):
            result.__dict__["usage"] = usage
        return result

    def _send(
        self, route: str, method: str, url: str, form: Mapping[str, str] | None
    ) -> tuple[int, bytes, Usage, timedelta] | RetryLater:
        """(status, body, usage, time to wait), or RetryLater if no complete answer came."""
        started = time.monotonic()
        try:
            with within(seconds=self.timeout, most_bytes=MAX_BYTES + MAX_HEAD):
                answer = self.client.send(
                    method,
                    url,
                    headers=FORM_HEADERS if form is not None else HEADERS,
                    body=None if form is None else urlencode(form),
                )
                body = answer.body(MAX_BYTES)
        except OutboundError as error:
            counters.observe("instagram_call_seconds", time.monotonic() - started, route=route)
            logger.warning("instagram %s: %s", route, error.reason)
            return RetryLater()
        counters.observe("instagram_call_seconds", time.monotonic() - started, route=route)
        milliseconds = (time.monotonic() - started) * 1000
        logger.info("instagram %s: %d in %.0f ms", route, answer.status, milliseconds)
        usage = parse_usage(answer.headers)
        wait = usage.wait or parse_retry_after(answer.headers.get("Retry-After"))
        return answer.status, body, usage, wait


def _read(
    route: str, body: bytes, usage: Usage, read: Callable[[bytes, Usage], Answer]
) -> Answer | ThreadsiteError:
    """Broken JSON is a truncated answer; valid JSON of unknown structure is WrongShape."""
    try:
        return read(body, usage)
    except msgspec.ValidationError as error:
        reason = str(error)
    except RecursionError:
        reason = "nested too deeply"
    except (msgspec.DecodeError, UnicodeDecodeError):
        if not _is_whole(body):
            return RetryLater()
        reason = "JSON with text that is none"
    return errors.wrong_shape(f"{route}: {reason}")


def _is_whole(body: bytes) -> bool:
    """Whether it is complete JSON, apart from bytes or surrogates that no text has."""
    try:
        json.loads(body.decode(errors="replace"))
    except ValueError:
        return False
    except RecursionError:
        pass
    return True


@lru_cache(maxsize=4)
def _shared(*arguments: str) -> Gateway:
    oauth_url, api_url, graph_url, client_id, client_secret = arguments
    return Gateway(
        oauth_url=oauth_url.rstrip("/"),
        api_url=api_url.rstrip("/"),
        graph_url=graph_url.rstrip("/"),
        client_id=client_id,
        client_secret=client_secret,
    )


# Two processes that share a socket would read each other's answers.
os.register_at_fork(after_in_child=_shared.cache_clear)


def usage_of(error: ThreadsiteError) -> Usage:
    """The usage in the headers of a refused call; unknown if no answer came."""
    usage = getattr(error, "usage", UNKNOWN)
    return usage if isinstance(usage, Usage) else UNKNOWN


def from_settings() -> Gateway:
    """The gateway for the current settings; its connections are kept between calls."""
    return _shared(
        settings.INSTAGRAM_OAUTH_URL,
        settings.INSTAGRAM_API_URL,
        settings.INSTAGRAM_GRAPH_URL,
        settings.INSTAGRAM_CLIENT_ID,
        settings.INSTAGRAM_CLIENT_SECRET,
    )
