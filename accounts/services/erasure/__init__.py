"""Erasure: requested, carried out in batches, checked by key, proved by a receipt."""

from __future__ import annotations

from accounts.services.erasure.requests import (
    cancel,
    cancel_scheduled,
    record_nothing_held,
    request_account_erasure,
    request_full_erasure,
    request_scope_erasure,
    retry,
    start_now,
)
from accounts.services.erasure.runner import advance, due, end_leases

__all__ = [
    "advance",
    "cancel",
    "cancel_scheduled",
    "due",
    "end_leases",
    "record_nothing_held",
    "request_account_erasure",
    "request_full_erasure",
    "request_scope_erasure",
    "retry",
    "start_now",
]
