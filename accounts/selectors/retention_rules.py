"""Retention rules in force: how long each kind of data is kept.

A rule's number of days comes from the setting RETENTION_DAYS (`{rule: days}`), else from its
default; 0 days mean as long as the link.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Rule:
    """`days` in force (0: as long as the link); `label` and `basis` are for people."""

    name: str
    days: int
    label: StrOrPromise
    basis: StrOrPromise


@dataclass(frozen=True)
class _Default:
    days: int
    label: StrOrPromise
    basis: StrOrPromise


_SERVICE = _("to provide the service you asked for (GDPR article 6 (1) (b))")
_CONSENT = _("your consent (GDPR article 6 (1) (a))")
_SECURITY = _("to keep the service secure and working (GDPR article 6 (1) (f))")
_PROOF = _("to be able to prove what was asked and done (GDPR articles 5 (2), 6 (1) (f))")

DEFAULTS: Final[Mapping[str, _Default]] = MappingProxyType(
    {
        "history": _Default(0, _("changes and past follows of a list"), _CONSENT),
        "snapshots": _Default(0, _("counts over time"), _CONSENT),
        "snapshots_daily": _Default(
            90, _("each single count; after that, the last one of each day"), _CONSENT
        ),
        "snapshots_weekly": _Default(
            730, _("the counts of each day; after that, the last one of each week"), _CONSENT
        ),
        "runs": _Default(90, _("logs of ended syncs"), _SECURITY),
        "queue": _Default(14, _("logs of ended background tasks"), _SECURITY),
        "sessions": _Default(0, _("sessions, after they have ended"), _SERVICE),
        "idempotency": _Default(1, _("answers to programs, in case they ask twice"), _SERVICE),
        "visitors": _Default(
            1, _("how often a visitor's address asked for something, as a hash"), _SECURITY
        ),
        "exports": _Default(30, _("records of copies you asked for"), _PROOF),
        "admin_log": _Default(365, _("log of what staff did"), _SECURITY),
        "deletions": _Default(1095, _("deletion receipts, which name nobody"), _PROOF),
        "erasure_list": _Default(400, _("the list of erasures, without names"), _PROOF),
        "requests": _Default(90, _("names in closed requests of non-members"), _PROOF),
        "consent_ledger": _Default(
            1095, _("consent entries after an erasure, under a random subject"), _PROOF
        ),
    }
)


def retention_rules() -> list[Rule]:
    """The rules in force. Raises ImproperlyConfigured for an invalid name or number."""
    chosen = dict(getattr(settings, "RETENTION_DAYS", {}))
    unknown = set(chosen) - set(DEFAULTS)
    wrong = [name for name, days in chosen.items() if not isinstance(days, int) or days < 0]
    if unknown or wrong:
        raise ImproperlyConfigured(
            f"RETENTION_DAYS: {', '.join(sorted([*unknown, *wrong]))} cannot be used. Known rules: "
            f"{', '.join(DEFAULTS)}; each takes a whole number of days, 0 or more."
        )
    return [
        Rule(name, chosen.get(name, default.days), default.label, default.basis)
        for name, default in DEFAULTS.items()
    ]
