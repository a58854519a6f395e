"""System checks of accounts: keys, storages, sign-in, clock and privacy settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from accounts.fast_clock import are_all_local
from accounts.files import kept
from accounts.selectors.retention_rules import retention_rules
from accounts.services import hosts, receipts
from accounts.services.erasure import erasure_list, restored_backup

SHORTEST_KEY: Final = 32
ADAPTERS: Final = {
    "ACCOUNT_ADAPTER": "accounts.adapters.AccountAdapter",
    "SOCIALACCOUNT_ADAPTER": "accounts.adapters.SocialAccountAdapter",
    "MFA_ADAPTER": "accounts.adapters.MFAAdapter",
    "IDP_OIDC_ADAPTER": "accounts.adapters.OIDCAdapter",
}


@register(Tags.security)
def check_tokens(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Instagram's tokens must not be stored in clear."""
    found: list[CheckMessage] = []
    if getattr(settings, "SOCIALACCOUNT_STORE_TOKENS", False):
        found.append(
            Error(
                "SOCIALACCOUNT_STORE_TOKENS would store Instagram's tokens in clear.",
                hint="Leave it False: accounts.AccessToken keeps them encrypted.",
                id="accounts.E001",
            )
        )
    if "allauth.socialaccount.providers.instagram" in settings.INSTALLED_APPS:
        found.append(
            Error(
                "allauth's own Instagram provider speaks an API that was shut down in 2024.",
                hint="Remove it from INSTALLED_APPS; accounts.instagram takes its place.",
                id="accounts.E002",
            )
        )
    for name, ours in ADAPTERS.items():
        if getattr(settings, name, "") != ours:
            found.append(
                Error(
                    f"{name} is not {ours}: secrets would be stored in clear, or links not made.",
                    hint=f"Set {name} = {ours!r}.",
                    id="accounts.E003",
                )
            )
    return found


@register(Tags.security)
def check_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.TOKEN_KEYS:
        found.append(
            Error(
                "TOKEN_KEYS is empty: no token could be stored.",
                hint="Set at least one Fernet key, newest first.",
                id="accounts.E004",
            )
        )
    if len(settings.CONSENT_LEDGER_KEY) < SHORTEST_KEY:
        found.append(
            Error(
                f"CONSENT_LEDGER_KEY has fewer than {SHORTEST_KEY} characters: whoever guesses "
                "it can rewrite the consent ledger.",
                hint="Set a long random text, and keep it: another key makes the ledger invalid.",
                id="accounts.E005",
            )
        )
    if len(settings.SUPPRESSION_KEY) < SHORTEST_KEY:
        found.append(
            Error(
                f"SUPPRESSION_KEY has fewer than {SHORTEST_KEY} characters: whoever guesses it "
                "can tell who asked not to be stored.",
                hint="Set a long random text, and keep it: another key forgets all those requests.",
                id="accounts.E012",
            )
        )
    return found


@register(Tags.security)
def check_programs(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not getattr(settings, "IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN", None):
        found.append(
            Error(
                "Refresh tokens of programs would never expire.",
                hint="Set IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN to seconds.",
                id="accounts.E006",
            )
        )
    if settings.CACHES["default"]["BACKEND"].rpartition(".")[2] in ("LocMemCache", "DummyCache"):
        found.append(
            Error(
                "The cache is not shared between processes: OAuth codes and sign-in limits, which "
                "allauth keeps there, would be lost between two requests.",
                hint="Use the database cache or Redis.",
                id="accounts.E007",
            )
        )
    return found


@register(Tags.security)
def check_signing_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Without a key programs still get access, but not `openid` (who the member is)."""
    pem = settings.IDP_OIDC_PRIVATE_KEY
    if not pem:
        return [
            checks.Warning(
                "OIDC_PRIVATE_KEY is not set: no program can be told who the member is (`openid`).",
                hint="Set an RSA key in PEM; a line break may be written as \\n.",
                id="accounts.W002",
            )
        ]
    try:
        load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return [
            Error(
                "OIDC_PRIVATE_KEY is no private key in PEM without a passphrase.",
                hint="Make one with `openssl genpkey -algorithm RSA`.",
                id="accounts.E009",
            )
        ]
    return []


@register(Tags.security)
def check_storages(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Reject invalid storage addresses, which the first export or erasure would fail on."""
    found: list[CheckMessage] = []
    for number, what in ((21, kept.storage), (22, erasure_list.storage)):
        try:
            what()
        except ImproperlyConfigured as error:
            found.append(
                Error(str(error), hint="See docs/operations.md.", id=f"accounts.E0{number}")
            )
    return found


@register(Tags.database)
def check_hosts(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """`manage.py check --database default`: storages that hosts do not share, restored backups.

    Warnings only: a database that may not be served must still be migrated.
    """
    if not databases:
        return []
    try:
        apart = hosts.not_shared()
        refused = restored_backup.compare().reason
    except DatabaseError:
        return []  # not migrated or unreachable: reported elsewhere
    found: list[CheckMessage] = [
        checks.Warning(
            f"The hosts {', '.join(names)} do not share {what}.",
            hint=f"Set {what.upper()}_URL to an address that all of them reach.",
            id="accounts.W010",
        )
        for what, names in apart.items()
    ]
    if refused:
        found.append(
            checks.Warning(refused, hint="Run `manage.py replay_erasures`.", id="accounts.W011")
        )
    return found


@register(Tags.security, deploy=True)
def check_staff(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.STAFF_MFA_REQUIRED:
        return []
    return [
        checks.Warning(
            "Staff can use the admin without a second factor.",
            hint="Set STAFF_MFA_REQUIRED to true.",
            id="accounts.W001",
        )
    ]


@register(Tags.security)
def check_way_back(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if str(settings.SESSION_COOKIE_SAMESITE).lower() != "strict":
        return []
    return [
        Error(
            "A Strict session cookie does not come along on the way back from Instagram.",
            hint="Set SESSION_COOKIE_SAMESITE to 'Lax'.",
            id="accounts.E008",
        )
    ]


@register(Tags.security)
def check_clock(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Two looks that should be hours apart are minutes apart on a fast clock."""
    addresses = (
        settings.PUBLIC_URL,
        settings.INSTAGRAM_OAUTH_URL,
        settings.INSTAGRAM_API_URL,
        settings.INSTAGRAM_GRAPH_URL,
    )
    as_any_clock = settings.CLOCK_FOLDER is None and settings.CLOCK_SPEED == 1
    if as_any_clock or are_all_local(*addresses):
        return []
    return [
        Error(
            "The site's clock would run faster than Instagram's, or ahead of it: people could be "
            "told as lost within minutes.",
            hint="Unset CLOCK_SPEED; it is for the demo, the soak and tests alone.",
            id="accounts.E020",
        )
    ]


@register(Tags.security)
def check_privacy(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Settings that would otherwise fail only at an erasure or at night."""
    found: list[CheckMessage] = []
    for number, check in ((10, receipts.public_keys), (11, retention_rules)):
        try:
            check()
        except ImproperlyConfigured as error:
            found.append(Error(str(error), hint="See docs/privacy.md.", id=f"accounts.E0{number}"))
    return found
