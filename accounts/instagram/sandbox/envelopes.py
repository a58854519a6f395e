"""Error answers of Instagram, seen or documented, by name.

The names are those of `tests/fixtures/instagram/api/errors`.
"""

from __future__ import annotations

import copy
from typing import Any, Final

from accounts.instagram.sandbox.messages import Response, as_json

_LIMITS = "https://developers.facebook.com/docs/graph-api/overview/rate-limiting"


def _error(message: str, code: int, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "OAuthException", "code": code, **more}}


def _token(message: str, subcode: int, **more: Any) -> dict[str, Any]:
    text = f"Error validating access token: {message}"
    return _error(text, 190, error_subcode=subcode, fbtrace_id=f"SANDBOX{subcode}", **more)


def _too_many(code: int, what: str) -> dict[str, Any]:
    text = f"(#{code}) There have been too many calls to this {what}. Wait a bit and try again."
    return _error(
        f"{text} For more info, please refer to {_LIMITS}.", code, fbtrace_id=f"SANDBOX{code}"
    )


ENVELOPES: Final[dict[str, dict[str, Any]]] = {
    "1_unknown": _error("An unknown error has occurred.", 1, fbtrace_id="SANDBOX1"),
    "2_transient": _error(
        "An unexpected error has occurred. Please retry your request later.",
        2,
        is_transient=True,
        fbtrace_id="SANDBOX2",
    ),
    "4_app_limit": _error(
        "(#4) Application request limit reached", 4, is_transient=True, fbtrace_id="SANDBOX4"
    ),
    "17_user_limit": _error(
        "(#17) User request limit reached", 17, is_transient=True, fbtrace_id="SANDBOX17"
    ),
    "docs_32_page_limit": _error("(#32) Page request limit reached", 32, fbtrace_id="SANDBOX32"),
    "341_app_limit": _error("(#341) Application limit reached", 341, fbtrace_id="SANDBOX341"),
    "368_policy_block": _error(
        "The action attempted has been deemed abusive or is otherwise disallowed",
        368,
        fbtrace_id="SANDBOX368",
    ),
    "613_1996": _error(
        "(#613) Calls to this api have exceeded the rate limit.",
        613,
        error_subcode=1996,
        fbtrace_id="SANDBOX613",
    ),
    "80002_instagram_buc": _too_many(80002, "Instagram account"),
    "docs_80001_page_buc": _too_many(80001, "Page account"),
    "102_session": _error("API Session", 102, fbtrace_id="SANDBOX102"),
    "190_no_subcode_expired": _error(
        "Error validating access token: Session has expired on Friday, 26-Jun-26 15:48:19 PDT.",
        190,
    ),
    "190_458_app_removed": _token("The user has not authorized application.", 458),
    "190_459_checkpoint": _token("You cannot access the app till you log in to Instagram.", 459),
    "docs_190_460": _token(
        "The session has been invalidated because the user changed their password.",
        460,
        error_user_title="Password changed",
        error_user_msg="Please log in again.",
    ),
    "190_463_expired": _token("Session has expired on Thursday, 01-Jan-24 00:00:00 PST.", 463),
    "190_464_unconfirmed": _token("Sessions for the user are not allowed.", 464),
    "190_467_invalid": _token("The session is invalid because the user logged out.", 467),
    "200_permission": _error(
        "(#200) Requires instagram_business_manage_insights permission to manage the object.",
        200,
        fbtrace_id="SANDBOX200",
    ),
    "airbyte_10": _error(
        "(#10) Application does not have permission for this action", 10, fbtrace_id="SANDBOX10"
    ),
    "airbyte_100_33": _error(
        "Unsupported get request", 100, error_subcode=33, fbtrace_id="SANDBOX33"
    ),
    "airbyte_100_33_long": _error(
        "Invalid parameter",
        100,
        error_data={},
        error_subcode=33,
        is_transient=False,
        error_user_msg="Unsupported get request. Object with ID 'x' does not exist, cannot be"
        " loaded due to missing permissions, or does not support this operation.",
        fbtrace_id="SANDBOX33",
    ),
    "airbyte_100_2108006": _error(
        "Invalid parameter", 100, error_subcode=2108006, fbtrace_id="SANDBOX2108006"
    ),
    "100_parameter": _error("(#100) Invalid parameter", 100, fbtrace_id="SANDBOX100"),
}
THROTTLING: Final = (
    "4_app_limit",
    "17_user_limit",
    "docs_32_page_limit",
    "613_1996",
    "80002_instagram_buc",
)
_STATUS: Final = {1: 500, 2: 500, 10: 403, 200: 403, 4: 403, 17: 403, 613: 403, 80002: 403}


def refusal(name: str, message: str | None = None) -> Response:
    """KeyError for a name that is not in ENVELOPES."""
    document = copy.deepcopy(ENVELOPES[name])
    if message is not None:
        document["error"]["message"] = message
    return as_json(document, _STATUS.get(document["error"]["code"], 400))


def oauth_refusal(message: str) -> Response:
    """The code exchange has an error format of its own."""
    document = {"error_type": "OAuthException", "code": 400, "error_message": message}
    return as_json(document, 400)
