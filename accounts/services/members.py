"""Members' own settings that services write."""

from __future__ import annotations

from datetime import timedelta

from accounts import clock
from accounts.models import User


def hide_reminder(*, user: User, days: int = 30) -> None:
    """Hide the reminder to add an address or a passkey for `days`."""
    user.email_reminder_hidden_until = clock.now() + timedelta(days=days)
    user.save(update_fields=["email_reminder_hidden_until"])
