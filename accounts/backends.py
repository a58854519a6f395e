"""Authentication backend for passwords, where several members may claim one unconfirmed address."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.db.models import Q
from django.http import HttpRequest

from accounts.models import User

#: How many members' passwords one sign-in is compared with. Each costs 0.1 s or more,
#: and a stranger may claim an address as often as they sign up.
MOST_TRIED: Final = 3


class PasswordBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's backend, but every member who claims an address may sign in by it.

    Each sign-in by address takes the same time, whoever claims it: otherwise its duration would
    reveal whether the address is registered.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """By address, or by name if no address was typed; allauth tries both as an address."""
        password = str(credentials.get("password") or "")
        if email := credentials.get("email"):
            return self._authenticate_by_email(str(email), password)
        name = str(credentials.get("username") or "")
        found: User | None = self._authenticate_by_username(name, password)
        return found

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """Return the claimant with this password; the one who confirmed the address comes first.

        allauth tries only that one. Then a new member could sign in again by an address only if
        nobody else has it, and would learn from that who is registered.
        """
        found: User | None = None
        claimants = _claimants(email.lower())
        for user in claimants:
            if self._check_password(user, password) and found is None:
                found = user
        for _missing in range(MOST_TRIED - len(claimants)):
            self._mitigate_timing_attack(password)
        self._did_check_password = True
        return found


def _claimants(email: str) -> list[User]:
    """The members who confirmed the address, claimed it first, or last: at most MOST_TRIED.

    Any other claimant confirms the address by a mail ("forgot password") and then comes first.
    """
    addresses = EmailAddress.objects.filter(email=email)
    confirmed = list(User.objects.filter(pk__in=addresses.filter(verified=True).values("user_id")))
    claimed = User.objects.filter(Q(pk__in=addresses.values("user_id")) | Q(email=email))
    first, last = claimed.order_by("pk")[:1], claimed.order_by("-pk")[:1]
    return list(dict.fromkeys([*confirmed, *first, *last]))[:MOST_TRIED]
