from __future__ import annotations

from typing import Final

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

# Their first argument is the account's id, so their queue rows go when the account is erased.
TASKS_OF_AN_ACCOUNT: Final = (
    "refresh_token",
    "subscribe",
    "tell_reconnect",
    "unlinked_by_instagram",
)


def itself(account_id: int) -> tuple[int]:
    return (account_id,)


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Members and links")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Importing registers the signal receivers and the system checks.
        from accounts import checks, clock, files, receivers, registry  # noqa: F401
        from accounts.fast_clock import FastClock
        from accounts.services import ledger, oauth

        if settings.CLOCK_FOLDER is not None:
            clock.run_fast(FastClock(settings.CLOCK_FOLDER, settings.CLOCK_SPEED))
        oauth.install()
        post_migrate.connect(receivers.ensure_schedules, sender=self)
        registry.register_thinner("consent_ledger", ledger.thin)
        registry.register_rotation("kept files", files.rotate)
        for task in TASKS_OF_AN_ACCOUNT:
            registry.register_task_keys(f"accounts.tasks.{task}", itself)
