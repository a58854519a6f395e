"""App configuration of accounts: registers jobs, erasers, leases and checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

# Their first argument is the account's id, so an erasure deletes their queue rows.
TASKS_OF_AN_ACCOUNT: Final = (
    "refresh_token",
    "subscribe",
    "mail_reconnect_needed",
    "unlinked_by_instagram",
)
#: The interval of each periodic task.
JOBS: Final = {
    "refresh_tokens": timedelta(hours=1),
    "subscribe_accounts": timedelta(days=1),
    "clear_expired_program_tokens": timedelta(days=1),
    "privacy_tick": timedelta(minutes=1),
}


def itself(account_id: int) -> tuple[int]:
    return (account_id,)


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Members and links")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Importing registers the signal receivers and the system checks.
        from accounts import checks, clock, files, queue, receivers, registry  # noqa: F401
        from accounts.fast_clock import FastClock
        from accounts.services import erasure, export, ledger, nightly, oauth

        if settings.CLOCK_FOLDER is not None:
            clock.run_fast(FastClock(settings.CLOCK_FOLDER, settings.CLOCK_SPEED))
        oauth.install()
        queue.accept_former_signatures()
        post_migrate.connect(receivers.ensure_wake, sender=self)
        registry.register_retention_handler("consent_ledger", ledger.prune_expired)
        registry.register_rotation("kept files", files.rotate)
        registry.register_leases("erasures", erasure.end_leases)
        registry.register_leases("exports", export.end_leases)
        registry.register_leases("nightly work", nightly.end_leases)
        for task, every in JOBS.items():
            registry.register_job(f"accounts.tasks.{task}", every)
        for task in TASKS_OF_AN_ACCOUNT:
            registry.register_task_keys(f"accounts.tasks.{task}", itself)
