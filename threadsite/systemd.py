"""Tells systemd that a service runs and is not stuck: `Type=notify` and `WatchdogSec`.

The protocol is one datagram to the socket that NOTIFY_SOCKET names; without it nothing is told.
https://www.freedesktop.org/software/systemd/man/sd_notify.html
"""

from __future__ import annotations

import os
import socket  # audit: unbudgeted-connection: one datagram to a local socket
from collections.abc import Callable
from contextlib import suppress


def tell(state: str) -> None:
    """Send a state such as `READY=1` or `WATCHDOG=1`; a socket that is away is no fault of ours."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.connect(address)
        notices.send(state.encode())


def beating(look: Callable[[], None]) -> Callable[[], None]:
    """`look`, and a sign of life after each: where it hangs, systemd ends the service."""
    tell("READY=1")

    def beat() -> None:
        look()
        tell("WATCHDOG=1")

    return beat
