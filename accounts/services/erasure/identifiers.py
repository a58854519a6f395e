"""Identifying words of a person, found in free text by their keyed hashes."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings

from accounts.models import LinkedAccount, User

#: A name, a number or an address, without quotes, slashes or colons around it.
_TOKEN = re.compile(r"[\w.@+-]{3,254}")
#: The same for ASCII texts, nearly twice as fast.
_PLAIN_TOKEN = re.compile(_TOKEN.pattern, re.ASCII)
DEEPEST = 30


def tokens(text: str) -> Iterator[str]:
    """The words of a text, in lower case, without an @ or a full stop around them."""
    for match in _TOKEN.finditer(text):
        word = match.group().strip(".@+-").lower()
        if len(word) >= 3:
            yield word


def distinct(text: str) -> set[str]:
    """The same without duplicates: for texts of megabytes, which repeat their words."""
    pattern = _PLAIN_TOKEN if text.isascii() else _TOKEN
    found = {word.strip(".@+-") for word in set(pattern.findall(text.lower()))}
    return {word for word in found if len(word) >= 3}


def strings(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text and number inside a decoded payload, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif value is None or isinstance(value, bool):
        return
    elif depth > DEEPEST:
        yield repr(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings(key, depth + 1)
            yield from strings(inner, depth + 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from strings(inner, depth + 1)
    elif hasattr(value, "__dict__") and value.__dict__:
        yield from strings(vars(value), depth + 1)
    else:
        yield str(value)


def words_in(value: Any) -> set[str]:
    """All words inside a decoded payload."""
    return {word for text in strings(value) for word in tokens(text)}


def words_of_account(account: LinkedAccount) -> dict[str, str]:
    """word -> what it is; lower case, as `tokens` gives them."""
    found = {
        account.instagram_id or "": "instagram_id",
        account.app_scoped_id or "": "app_scoped_id",
        account.username.lower(): "username",
    }
    return {word: what for word, what in found.items() if len(word) >= 3}


def words_of_member(owner: User) -> dict[str, str]:
    """The member's own words and those of all their accounts."""
    found: dict[str, str] = {owner.username.lower(): "member name"}
    for address in _addresses_of(owner):
        found[address] = "address"
    for uid in SocialAccount.objects.filter(user_id=owner.pk).values_list("uid", flat=True):
        found[uid.lower()] = "instagram_id"
    for account in LinkedAccount.objects.filter(owner_id=owner.pk):
        found |= words_of_account(account)
    return {word: what for word, what in found.items() if len(word) >= 3}


def _addresses_of(owner: User) -> set[str]:
    """Without addresses that another member claims too: their rows may be that member's."""
    own = EmailAddress.objects.filter(user_id=owner.pk).values_list("email", flat=True)
    addresses = {address.lower() for address in (owner.email, *own) if address}
    others = EmailAddress.objects.exclude(user_id=owner.pk).filter(email__in=addresses)
    shared = {address.lower() for address in others.values_list("email", flat=True)}
    return addresses - shared


def needle(word: str) -> bytes:
    """16 bytes by which a word is recognised, only with the key."""
    key = hashlib.sha256(b"threadsite:needles:" + settings.SUPPRESSION_KEY.encode()).digest()
    return hashlib.blake2b(word.encode(), key=key, digest_size=16).digest()


def fingerprint(kind: str, identity: str) -> str:
    """64 hex digits for an id in the list of erasures; keyed, so that ids cannot be tried."""
    key = hashlib.sha256(b"threadsite:erasures:" + settings.SUPPRESSION_KEY.encode()).digest()
    return hmac.new(key, f"{kind}:{identity}".encode(), hashlib.sha256).hexdigest()
