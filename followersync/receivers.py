"""Signal receivers: start and stop syncs when accounts, consents or webhooks change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts import clock, signals
from accounts.errors import ThreadsiteError
from accounts.scopes import Scope
from accounts.selectors import consent_in_force
from followersync.models import SyncRun, SyncSettings, Trigger
from followersync.services.sync import lease, runs
from followersync.services.sync.finish import DEBOUNCE
from followersync.services.sync.settings import settings_of

if TYPE_CHECKING:
    from accounts.models import LinkedAccount


def connect() -> None:
    """Connect the receivers; called once, when the app is ready."""
    identity = "followersync"
    signals.account_linked.connect(_on_linked, dispatch_uid=identity)
    signals.account_reconnected.connect(_on_reconnected, dispatch_uid=identity)
    signals.account_resumed.connect(_on_resumed, dispatch_uid=identity)
    signals.consent_granted.connect(_on_granted, dispatch_uid=identity)
    signals.webhook_received.connect(_on_webhook, dispatch_uid=identity)
    signals.account_paused.connect(_on_stopped, dispatch_uid=identity)
    signals.account_unlinked.connect(_on_stopped, dispatch_uid=identity)
    signals.account_needs_reconnect.connect(_on_stopped, dispatch_uid=identity)
    signals.consent_withdrawn.connect(_on_withdrawn, dispatch_uid=identity)


def start(account: LinkedAccount, trigger: Trigger) -> None:
    """Open a run if one may be opened; otherwise the sender of the signal is not told."""
    settings_of(account)
    try:
        runs.request_sync(account=account, trigger=trigger)
    except ThreadsiteError:
        return


def _on_linked(*, account: LinkedAccount, **_kwargs: Any) -> None:
    start(account, Trigger.LINK)


def _on_reconnected(*, account: LinkedAccount, **_kwargs: Any) -> None:
    start(account, Trigger.RECONNECT)


def _on_resumed(*, account: LinkedAccount, **_kwargs: Any) -> None:
    start(account, Trigger.MEMBER)


def _on_granted(*, account: LinkedAccount, scope: Scope, **_kwargs: Any) -> None:
    """Consents that come with a link do nothing: no run may be opened until the account is linked.

    A run that is already open may have begun to read only the count: another follows at its end.
    """
    counted_with_list = scope is Scope.PROFILE and consent_in_force(account.pk, Scope.FOLLOWERS)
    if scope not in runs.SYNCED_BY or counted_with_list:
        return
    if _is_running(account):
        SyncSettings.objects.filter(pk=account.pk).update(woken_at=clock.now())
    first = not SyncRun.objects.filter(account=account).exists()
    start(account, Trigger.LINK if first else Trigger.MEMBER)


def _on_webhook(*, account: LinkedAccount, **_kwargs: Any) -> None:
    """Open a run after a webhook or a look at a stale page.

    Several events within DEBOUNCE cause one more look, after it. A run that is already open looks
    again at its end if an event came after it began.
    """
    now = clock.now()
    settings = settings_of(account)
    here = SyncSettings.objects.filter(pk=account.pk)
    woken_at = settings.woken_at
    if woken_at is not None and woken_at > now - DEBOUNCE and not _is_running(account):
        here.filter(next_due_at__gt=woken_at + DEBOUNCE).update(next_due_at=woken_at + DEBOUNCE)
        return
    here.update(woken_at=now)
    start(account, Trigger.WEBHOOK)


def _is_running(account: LinkedAccount) -> bool:
    return SyncRun.objects.filter(account=account, state__in=SyncRun.OPEN).exists()


def _on_stopped(*, account: LinkedAccount, **_kwargs: Any) -> None:
    """Pause, unlink and lost access: stop at once, also in the middle of a scan."""
    lease.cancel_open(account)
    SyncSettings.objects.filter(pk=account.pk).update(next_due_at=None, not_before=None)


def _on_withdrawn(*, account: LinkedAccount, scope: Scope, **_kwargs: Any) -> None:
    """A run continues only under a consent that covers it."""
    if scope not in runs.SYNCED_BY:
        return
    if scope is Scope.PROFILE and consent_in_force(account.pk, Scope.FOLLOWERS):
        # The list is still read. A commit in progress may still keep the count; the erasure
        # comes after it, and every later commit sees the withdrawal.
        lease.wait_for_commits(account)
        return
    _on_stopped(account=account)
    if scope is Scope.FOLLOWERS and consent_in_force(account.pk, Scope.PROFILE):
        start(account, Trigger.MEMBER)
