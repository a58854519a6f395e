"""Sync settings that the member may choose."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings as site
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import clock
from accounts.errors import InvalidInput
from followersync.models import SyncSettings
from followersync.models.settings import MAXIMUM_INTERVAL

if TYPE_CHECKING:
    from accounts.models import LinkedAccount


def settings_of(account: LinkedAccount) -> SyncSettings:
    """The account's settings, created with the site's default interval at first use."""
    found, _made = SyncSettings.objects.get_or_create(
        account=account, defaults={"interval_minutes": site.SYNC_INTERVAL_MINUTES_DEFAULT}
    )
    return found


@transaction.atomic
def set_interval(*, account: LinkedAccount, minutes: int) -> SyncSettings:
    """Set the sync interval. Raises InvalidInput out of bounds, with nothing changed."""
    low, high = site.SYNC_INTERVAL_MINUTES_LOW, MAXIMUM_INTERVAL
    if not low <= minutes <= high:
        raise InvalidInput(
            "interval_out_of_bounds",
            _("The interval must be between %(low)s and %(high)s minutes. Choose another one.")
            % {"low": low, "high": high},
            "interval_minutes",
        )
    settings_of(account)
    settings = SyncSettings.objects.select_for_update().get(pk=account.pk)
    settings.interval_minutes = minutes
    if settings.next_due_at is not None:
        latest = (settings.last_synced_at or clock.now()) + timedelta(minutes=minutes)
        settings.next_due_at = min(settings.next_due_at, latest)
    settings.save(update_fields=["interval_minutes", "next_due_at"])
    return settings
