"""Signals by which accounts informs other apps.

All are sent inside the transaction of the change, with `account=LinkedAccount`; a receiver that
starts work does so by `accounts.queue.enqueue`, which waits for the commit. The consent signals
carry `scope` too (a withdrawal also `keep_data` and `channel`); `account_unlinked` carries
`channel`.
"""

from __future__ import annotations

from django.dispatch import Signal

account_linked = Signal()
account_reconnected = Signal()
account_paused = Signal()
account_resumed = Signal()
account_needs_reconnect = Signal()
account_unlinked = Signal()
consent_granted = Signal()
consent_withdrawn = Signal()
webhook_received = Signal()
