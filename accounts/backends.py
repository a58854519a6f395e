"""Signing in by password, where several members may claim one address that none has confirmed."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.db.models import Q
from django.http import HttpRequest

from accounts.models import User

#: Passwords that one sign-in by address is compared with. Each costs a tenth of a second or more,
#: and a stranger may claim an address as often as they sign up.
MOST_TRIED: Final = 3


class PasswordBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, but whoever claims an address may sign in by it.

    Each sign-in by address costs the same, whoever claims it: its time would else tell whether
    the address is registered.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """By the address, or where none was typed by the name; allauth tries both as an address."""
        password = str(credentials.get("password") or "")
        if email := credentials.get("email"):
            return self._authenticate_by_email(str(email), password)
        name = str(credentials.get("username") or "")
        found: User | None = self._authenticate_by_username(name, password)
        return found

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """Whoever claims the address and has this password, the one who confirmed it first.

        allauth asks that one alone. Then a newcomer could sign in again by an address unless it
        is somebody else's, and would learn by that who is registered.
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
    """Who confirmed the address, who claimed it first and who last: at most MOST_TRIED.

    Whoever came in between confirms the address by a mail ("forgot password") and is the first.
    """
    addresses = EmailAddress.objects.filter(email=email)
    confirmed = list(User.objects.filter(pk__in=addresses.filter(verified=True).values("user_id")))
    claimed = User.objects.filter(Q(pk__in=addresses.values("user_id")) | Q(email=email))
    first, last = claimed.order_by("pk")[:1], claimed.order_by("-pk")[:1]
    return list(dict.fromkeys([*confirmed, *first, *last]))[:MOST_TRIED]
