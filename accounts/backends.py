"""Signing in by password, where several members may claim one address that none has confirmed."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email

from accounts.models import User


class PasswordBackend(AuthenticationBackend):  # type: ignore[misc]
    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """Whoever claims the address and has this password, the one who confirmed it first.

        allauth asks that one alone. Then a newcomer could sign in again by an address unless it
        is somebody else's, and would learn by that who is registered.
        """
        if not email:
            return None
        confirmed = filter_users_by_email(email, prefer_verified=True, for_login=True)
        claimed = filter_users_by_email(email, for_login=True)
        claimed.sort(key=lambda user: user.pk)
        for user in dict.fromkeys([*confirmed, *claimed]):
            if isinstance(user, User) and self._check_password(user, password):
                return user
        return None
