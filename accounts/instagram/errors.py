"""Maps Instagram's error answers to our exceptions, by the required reaction.

Matched on `code` and `error_subcode`, never on the text, which Meta changes.
https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec
from django.utils.translation import gettext_lazy as _

from accounts.errors import (
    Gone,
    InvalidInput,
    NeedsReconnect,
    ParameterRefused,
    PermissionMissing,
    RetryLater,
    ThreadsiteError,
    UnlinkedByInstagram,
    WaitUntil,
    WrongShape,
)

APP_REMOVED: Final = 458
# 459 and 464: Meta wants the person to log in to Instagram first; linking again alone fails.
RECONNECT_REASONS: Final = {
    459: "checkpoint",
    460: "password_changed",
    463: "expired",
    464: "checkpoint",
    467: "session_invalid",
}
# 80001 (Pages), 80002 (Instagram) and the other 8000x are use-case limits.
THROTTLED: Final = frozenset({4, 17, 32, 341, 368, 613, *range(80000, 80015)})
TRANSIENT: Final = frozenset({1, 2})
TOKEN_INVALID: Final = frozenset({102, 190})
PERMISSION: Final = frozenset({10, *range(200, 300)})
PARAMETER: Final = 100
OBJECT_GONE: Final = 33

# Calls made while throttled lengthen the throttling, so without a stated time we wait long.
DEFAULT_WAIT: Final = timedelta(minutes=60)


logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]


class GraphError(msgspec.Struct, frozen=True):
    """`{"error": {…}}`. Only `type` and `code` are in every sample."""

    code: int
    type: str = ""
    error_subcode: int | None = None
    is_transient: bool = False


class GraphEnvelope(msgspec.Struct, frozen=True):
    error: GraphError


class OAuthEnvelope(msgspec.Struct, frozen=True):
    """The error format of the code exchange, which is not the Graph envelope."""

    error_type: str
    error_message: str
    code: int = 0


Envelope = TypeVar("Envelope", GraphEnvelope, OAuthEnvelope)

_graph_decoder = msgspec.json.Decoder(GraphEnvelope)
_oauth_decoder = msgspec.json.Decoder(OAuthEnvelope)


def from_answer(status: int, body: bytes, *, now: Clock, wait: timedelta) -> ThreadsiteError:
    """The error for an unsuccessful answer. `wait`: zero if Instagram named no time."""
    graph = _decoded(_graph_decoder, body)
    if graph is not None:
        return from_graph(graph.error, now=now, wait=wait)
    oauth = _decoded(_oauth_decoder, body)
    if oauth is not None and status != 429:
        return from_oauth(oauth, now=now, wait=wait)
    if status == 429:
        return throttled(now=now, wait=wait)
    if status >= 500 or status == 408:
        return RetryLater()
    return wrong_shape(f"HTTP {status} without an error envelope")


def from_graph(error: GraphError, *, now: Clock, wait: timedelta) -> ThreadsiteError:
    """Transience is checked late: Meta marks its limits (4, 17) transient, and those must wait."""
    if error.code in THROTTLED:
        return throttled(now=now, wait=wait)
    if error.code in TOKEN_INVALID:
        return token_refused(error.error_subcode)
    if error.code in PERMISSION:
        return PermissionMissing()
    if error.is_transient or error.code in TRANSIENT:
        return RetryLater()
    if error.code == PARAMETER:
        return _parameter_refused(error.error_subcode)
    if error.type == "OAuthException" and not error.error_subcode:
        return token_refused(None)
    return wrong_shape(f"unknown error code {error.code}, subcode {error.error_subcode}")


def token_refused(subcode: int | None) -> ThreadsiteError:
    """458 is a withdrawal at Instagram; all others are solved by linking again."""
    if subcode == APP_REMOVED:
        return UnlinkedByInstagram()
    return NeedsReconnect(RECONNECT_REASONS.get(subcode or 0, "token_invalid"))


def throttled(*, now: Clock, wait: timedelta) -> WaitUntil:
    return WaitUntil(now() + (wait or DEFAULT_WAIT))


def from_oauth(error: OAuthEnvelope, *, now: Clock, wait: timedelta) -> ThreadsiteError:
    """A refused code exchange. `code` repeats the HTTP status."""
    if "RateLimit" in error.error_type or error.code == 429:
        return throttled(now=now, wait=wait)
    if error.code >= 500:
        return RetryLater()
    return InvalidInput(
        "instagram_code_refused",
        _(
            "Instagram did not accept the sign-in code: it was used before, or is older than"
            " an hour. Nothing was linked. Start linking again."
        ),
        "code",
    )


def _parameter_refused(subcode: int | None) -> ThreadsiteError:
    """33: the object is gone, or was never readable; Meta does not say which."""
    if subcode != OBJECT_GONE:
        refused = ParameterRefused()
        refused.add_note(f"a parameter of ours was refused, subcode {subcode}")
        logger.warning("instagram refused a parameter of ours, subcode %s", subcode)
        return refused
    return Gone(
        detail=_(
            "Instagram no longer shows us this account. It may have been deleted, deactivated"
            " or made a personal account. Check it at Instagram, then reconnect it."
        )
    )


def wrong_shape(reason: str) -> WrongShape:
    """`reason` is for developers, in the log and the traceback; it quotes no value."""
    logger.error("instagram answered in an unknown form: %s", reason)
    error = WrongShape()
    error.add_note(reason)
    return error


def is_envelope(body: bytes) -> bool:
    """Meta was seen to answer 200 with an error in the body."""
    return _decoded(_graph_decoder, body) is not None or _decoded(_oauth_decoder, body) is not None


def _decoded(decoder: msgspec.json.Decoder[Envelope], body: bytes) -> Envelope | None:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
