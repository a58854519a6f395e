"""Removes a person from encoded payloads, by key and by the hashes of their words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from accounts import registry
from accounts.services.erasure import identifiers, payloads
from accounts.services.erasure.payloads import Payload
from accounts.sessions import SessionStore

#: Kinds of words that identify one person; a name can be a common word in another's session.
CERTAIN = frozenset({"instagram_id", "app_scoped_id", "address"})


@dataclass(frozen=True)
class Target:
    """Who is erased: ids, and the kind of each hashed word of theirs."""

    owner_id: int
    account_ids: frozenset[int]
    everything: bool
    needles: Mapping[bytes, str]

    def words_met(self, value: Any) -> set[str]:
        """The kinds of the person's words that occur in a payload."""
        return {
            self.needles[digest]
            for digest in map(identifiers.needle, identifiers.words_in(value))
            if digest in self.needles
        }


def scrub(target: Target) -> int:
    """Delete or clean every payload that belongs to the target; returns how many rows."""
    met = list(matching(target))
    return sum(_clean(payload, target) for payload in met)


def matching(target: Target) -> Iterator[Payload]:
    """The payloads that belong to the target."""
    keys = _task_keys(target)
    for payload in payloads.all_payloads():
        if payload.table == "django_session":
            matches = _session_matches(payload, target)
        elif payload.task:
            matches = _task_matches(payload, target, keys)
        else:
            matches = _named(payload, target) or bool(target.words_met(payload.value))
        if matches:
            yield payload


def _task_keys(target: Target) -> dict[str, set[str]]:
    return {
        task: {str(key) for account in target.account_ids for key in keys(account)}
        for task, keys in registry.task_keys().items()
    }


def _task_matches(payload: Payload, target: Target, keys: Mapping[str, set[str]]) -> bool:
    """Queue rows only wake: dropping one too many loses nothing, since the due rows stay."""
    if payload.arguments & keys.get(payload.task, set()):
        return True
    return _named(payload, target) or bool(target.words_met(payload.value))


def _named(payload: Payload, target: Target) -> bool:
    value = payload.value
    if target.everything and payloads.names(value, payloads.MEMBER_KEYS, target.owner_id):
        return True
    return any(payloads.names(value, payloads.ACCOUNT_KEYS, a) for a in target.account_ids)


def _session_matches(payload: Payload, target: Target) -> bool:
    session = payload.value
    holder = str(session.get(SESSION_KEY, ""))
    if target.everything and holder == str(target.owner_id):
        return True
    return bool(_entries(session, target, holder))


def _entries(session: Mapping[str, Any], target: Target, holder: str) -> list[str]:
    """The entries of a session with the person's words; names only in their own session."""
    own = holder in {"", str(target.owner_id)}
    return [
        name
        for name, value in session.items()
        if not name.startswith("_auth_user")
        and any(own or what in CERTAIN for what in target.words_met({name: value}))
    ]


def _clean(payload: Payload, target: Target) -> int:
    if payload.table != "django_session":
        return payloads.delete(payload)
    holder = str(payload.value.get(SESSION_KEY, ""))
    if target.everything and holder == str(target.owner_id):
        return payloads.delete(payload)
    dropped = set(_entries(payload.value, target, holder))
    kept = {name: value for name, value in payload.value.items() if name not in dropped}
    return Session.objects.filter(pk=payload.key).update(session_data=SessionStore().encode(kept))
