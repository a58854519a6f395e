"""Erasure receipts: signed with Ed25519, verifiable by anybody without our server.

A receipt is a JSON object. Its signature covers the canonical JSON (sorted keys, no spaces, UTF-8;
only strings, integers, booleans and null, so this is RFC 8785) of everything except `signature`.
Only the commitment refers to the person: a hash salted with a value shown only to the member.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput
from accounts.models import DeletionRequest

TYPE = "threadsite-deletion-receipt"
VERSION = 1


def canonical(document: Any) -> bytes:
    """The canonical JSON that is signed and hashed."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def new_salt() -> str:
    """32 random bytes in hex, for the member alone."""
    return secrets.token_hex(32)


def commitment(salt: str, subjects: Iterable[str]) -> str:
    """64 hex digits: SHA-256 over salt and subjects (`instagram:<id>`, `name:<username>`)."""
    document = {"salt": salt.strip().lower(), "subjects": sorted(subjects)}
    return hashlib.sha256(canonical(document)).hexdigest()


def issue(deletion: DeletionRequest) -> dict[str, Any]:
    """The signed receipt of a completed erasure. It names nobody."""
    key = _private_keys()[0]
    kind = "everything" if deletion.everything else (deletion.scope or "account")
    body = {
        "type": TYPE,
        "version": VERSION,
        "issuer": settings.PUBLIC_URL,
        "code": deletion.code,
        "of": kind,
        "held": deletion.held,
        "requested_at": _time(deletion.requested_at),
        "started_at": _time(deletion.started_at),
        "completed_at": _time(deletion.completed_at),
        "erased": deletion.erased,
        "rows": sum(deletion.erased.values()),
        "residue": deletion.residue,
        "commitment": (
            {"algorithm": "SHA-256", "value": deletion.commitment} if deletion.commitment else None
        ),
        "key": key_id(key.public_key()),
        "algorithm": "Ed25519",
    }
    return {**body, "signature": _encode(key.sign(canonical(body)))}


def verify(document: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the receipt inside `document`, if one of the public `keys` (a JWK set) signed it.

    `document` is a receipt, or the status of an erasure that contains one. Raises InvalidInput that
    says what is wrong.
    """
    receipt = document.get("receipt", document)
    if not isinstance(receipt, dict) or receipt.get("type") != TYPE:
        raise InvalidInput("not_a_receipt", _("This is not a deletion receipt."))
    body = {name: value for name, value in receipt.items() if name != "signature"}
    key = _public_keys(keys).get(str(body.get("key")))
    if key is None:
        raise InvalidInput(
            "unknown_key",
            _("The receipt was signed with a key that is not among the public keys given."),
        )
    try:
        key.verify(_decode(receipt.get("signature")), canonical(body))
    except (InvalidSignature, ValueError):
        raise InvalidInput(
            "bad_signature", _("The signature does not fit: the receipt was altered.")
        ) from None
    return receipt


def public_keys() -> dict[str, Any]:
    """All keys that ever sign or signed, newest first, as a JWK set (RFC 8037)."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": "EdDSA",
                "kid": key_id(key.public_key()),
                "x": _encode(_raw(key.public_key())),
            }
            for key in _private_keys()
        ]
    }


def key_id(key: Ed25519PublicKey) -> str:
    """16 hex digits of the public key's SHA-256."""
    return hashlib.sha256(_raw(key)).hexdigest()[:16]


def _private_keys() -> list[Ed25519PrivateKey]:
    """Raises ImproperlyConfigured unless every key is 32 bytes in base64."""
    try:
        found = [Ed25519PrivateKey.from_private_bytes(_decode(k)) for k in settings.RECEIPT_KEYS]
    except ValueError:
        found = []
    if not found:
        raise ImproperlyConfigured(
            "RECEIPT_KEYS must hold Ed25519 seeds: 32 bytes each in URL-safe base64, newest first."
        )
    return found


def _public_keys(keys: Mapping[str, Any]) -> dict[str, Ed25519PublicKey]:
    """By the id computed from the key itself, so that a set cannot claim another's."""
    found = {}
    for entry in keys.get("keys", []):
        try:
            key = Ed25519PublicKey.from_public_bytes(_decode(entry["x"]))
        except (ValueError, KeyError, TypeError):
            raise InvalidInput("bad_keys", _("The file of public keys cannot be read.")) from None
        found[key_id(key)] = key
    return found


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("not a text")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
