"""Key rotation: re-encrypts stored secrets under the newest key, while the site runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils.translation import gettext as _

from accounts import crypto, registry
from accounts.errors import Bug, Conflict
from accounts.models import AccessToken, SiteProcess
from accounts.selectors.processes import LIVE_SECONDS, live_processes

BATCH = 500
# Where allauth.mfa stores values encrypted by our adapter: TOTP secret, recovery codes' seed.
SECRET_FIELDS = ("secret", "seed")


@dataclass
class Rotation:
    """Rows examined, and rows moved to the newest key by this call."""

    seen: int = 0
    moved: int = 0


def require_keys_known_to_all() -> None:
    """Raises Conflict while a running process lacks a key of our TOKEN_KEYS."""
    marks = [*map(crypto.fingerprint, settings.TOKEN_KEYS)]
    _refuse([each for each in live_processes() if not {*marks} <= {*each.token_keys}])


def _require_newest_key_on_all() -> None:
    """Raises Conflict while a running process could not read or write the newest key."""
    newest = crypto.fingerprint(settings.TOKEN_KEYS[0])
    _refuse([each for each in live_processes() if each.token_keys[:1] != [newest]])


def _refuse(without: list[SiteProcess]) -> None:
    if without:
        raise Conflict(
            "keys_differ",
            _(
                "TOKEN_KEYS is another there: %(processes)s. Give the new key to every host as the "
                "second one and restart them all, then as the first one and restart them again. "
                "A process that was killed is forgotten after %(seconds)d seconds. Nothing was "
                "changed."
            )
            % {"processes": "; ".join(map(str, without)), "seconds": round(LIVE_SECONDS)},
        )


def rotate(report: Callable[[Rotation], None] = lambda _done: None) -> Rotation:
    """Re-encrypt what is under an older key. Can be stopped and started again at any time.

    Each row is replaced only if it is unchanged since it was read, so that a token refreshed
    meanwhile is not overwritten by the older one. Raises Conflict while a running process does not
    encrypt under the newest key: it would fail on rotated rows, or leave rows behind.
    """
    _require_newest_key_on_all()
    done = Rotation()
    others = (rotate_them() for rotate_them in registry.rotations().values())
    for moved in chain(_tokens(), _authenticators(), _sessions(), *others):
        done.seen += 1
        done.moved += moved
        if done.seen % BATCH == 0:
            report(done)
    report(done)
    return done


def _tokens() -> Iterator[bool]:
    rows = AccessToken.objects.order_by("pk").values_list("pk", "ciphertext")
    for pk, ciphertext in rows.iterator(chunk_size=BATCH):
        fresh = crypto.rotated(ciphertext)
        yield bool(
            fresh
            and AccessToken.objects.filter(pk=pk, ciphertext=ciphertext).update(ciphertext=fresh)
        )


def _sessions() -> Iterator[bool]:
    """Otherwise everybody would be signed out when the older key is removed."""
    rows = Session.objects.order_by("pk").values_list("pk", "session_data")
    for pk, data in rows.iterator(chunk_size=BATCH):
        try:
            fresh = crypto.rotated(data)
        except Bug:
            continue  # the key is gone: nobody can use it
        yield bool(
            fresh and Session.objects.filter(pk=pk, session_data=data).update(session_data=fresh)
        )


def _authenticators() -> Iterator[bool]:
    for authenticator in Authenticator.objects.order_by("pk").iterator(chunk_size=BATCH):
        old = authenticator.data
        fresh = {
            name: crypto.rotated(old[name])
            for name in SECRET_FIELDS
            if isinstance(old.get(name), str)
        }
        changes = {name: value for name, value in fresh.items() if value}
        yield bool(
            changes
            and Authenticator.objects.filter(pk=authenticator.pk, data=old).update(
                data={**old, **changes}
            )
        )
