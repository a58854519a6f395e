"""Selectors: reads only. Every object is reached through its owner; others' are NotFound."""

from __future__ import annotations

from accounts.selectors.consent_in_force import (
    accounts_with_consent,
    consent_history,
    consent_in_force,
    consents_in_force,
    consents_outdated,
    in_force,
)
from accounts.selectors.links import (
    account_of,
    accounts_by_instagram_id,
    accounts_of,
)
from accounts.selectors.members import (
    may_use_admin,
    member_by_reference,
    needs_recovery_contact,
)
from accounts.selectors.programs import programs_of

__all__ = [
    "account_of",
    "accounts_by_instagram_id",
    "accounts_of",
    "accounts_with_consent",
    "consent_history",
    "consent_in_force",
    "consents_in_force",
    "consents_outdated",
    "in_force",
    "may_use_admin",
    "member_by_reference",
    "needs_recovery_contact",
    "programs_of",
]
