"""Meta's signatures: `signed_request`, and the HMAC of a webhook's body.

Pure: standard library only. Which of an app's two secrets signs (the Meta app's or the
Instagram app's) is not documented, so every check takes all secrets and tries each.

https://developers.facebook.com/docs/facebook-login/guides/advanced/existing-system#parsingsr
https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any

ALGORITHM = "HMAC-SHA256"
WEBHOOK_PREFIX = "sha256="
# A real one has about 250 characters; longer ones are attacks.
MAX_SIGNED_REQUEST = 10_000


class BadSignature(ValueError):
    """Not signed by any of the secrets, or not in Meta's format."""


def parse_signed_request(signed_request: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Return the payload of a `signed_request`, if one of the secrets signed it.

    The signature covers the encoded payload, so it is checked before anything is decoded. Raises
    BadSignature, which says what was wrong, never what was sent.
    """
    if len(signed_request) > MAX_SIGNED_REQUEST:
        raise BadSignature("too long")
    encoded_signature, dot, encoded_payload = signed_request.partition(".")
    if not dot or "." in encoded_payload:
        raise BadSignature("not two parts with a dot between them")
    _check(_decode(encoded_signature), encoded_payload.encode(), secrets)
    return _payload(encoded_payload)


def make_signed_request(payload: Mapping[str, Any], secret: str, *, padded: bool = False) -> str:
    """What Meta sends for `payload`; the algorithm is added. Both paddings occur."""
    document = {"algorithm": ALGORITHM, **payload}
    encoded = _encode(json.dumps(document, separators=(",", ":")).encode(), padded=padded)
    signature = _encode(_digest(secret, encoded.encode()), padded=padded)
    return f"{signature}.{encoded}"


def webhook_signature(raw_body: bytes, secret: str) -> str:
    """The value of `X-Hub-Signature-256` for the bytes as sent."""
    return WEBHOOK_PREFIX + _digest(secret, raw_body).hex()


def webhook_is_genuine(raw_body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets signed these bytes. A missing or malformed header: no."""
    if header is None or not header.startswith(WEBHOOK_PREFIX):
        return False
    try:
        signature = bytes.fromhex(header.removeprefix(WEBHOOK_PREFIX))
        _check(signature, raw_body, secrets)
    except ValueError:
        return False
    return True


def _check(signature: bytes, signed: bytes, secrets: Iterable[str]) -> None:
    """Compares every secret in constant time; an empty secret would accept anybody's."""
    genuine = False
    for secret in secrets:
        genuine |= bool(secret) and hmac.compare_digest(_digest(secret, signed), signature)
    if not genuine:
        raise BadSignature("signed by none of our secrets")


def _payload(encoded: str) -> dict[str, Any]:
    try:
        payload = json.loads(_decode(encoded))
    except (UnicodeDecodeError, RecursionError, ValueError):
        payload = None
    if not isinstance(payload, dict):
        raise BadSignature("the payload is no JSON object")
    algorithm = payload.get("algorithm")
    if not isinstance(algorithm, str) or algorithm.upper() != ALGORITHM:
        raise BadSignature("an algorithm other than HMAC-SHA256")
    return payload


def _digest(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).digest()


def _decode(encoded: str) -> bytes:
    stripped = encoded.rstrip("=")
    try:
        raw = (stripped + "=" * (-len(stripped) % 4)).encode("ascii")
        return base64.b64decode(raw, altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise BadSignature("not base64url") from None


def _encode(raw: bytes, *, padded: bool) -> str:
    encoded = base64.urlsafe_b64encode(raw).decode()
    return encoded if padded else encoded.rstrip("=")
