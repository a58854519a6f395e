"""systemd notification: readiness and watchdog (`Type=notify`, `WatchdogSec`).

The protocol is one datagram to the socket in NOTIFY_SOCKET; without it nothing is sent.
https://www.freedesktop.org/software/systemd/man/sd_notify.html
"""

from __future__ import annotations

import os
import socket  # audit: unbudgeted-connection: one datagram to a local socket
from collections.abc import Callable
from contextlib import suppress


def notify(state: str) -> None:
    """Send a state such as `READY=1` or `WATCHDOG=1`; an unreachable socket is ignored."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.connect(address)
        notices.send(state.encode())


def with_watchdog(look: Callable[[], None]) -> Callable[[], None]:
    """`look` with a watchdog message after each call: if it hangs, systemd ends the service."""
    notify("READY=1")

    def beat() -> None:
        look()
        notify("WATCHDOG=1")

    return beat
