"""TCP and TLS sockets whose reads and writes are charged to the budget in force."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from accounts.outbound.budget import in_force


class BudgetedSocket(socket.socket):
    """A TCP connection."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        budget = in_force()
        self.settimeout(budget.seconds_left())
        received = super().recv_into(*args, **kwargs)
        budget.spend(received)
        return received

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        # For one call of sendall the limit is one in total.
        self.settimeout(in_force().seconds_left())
        super().sendall(*args, **kwargs)


class BudgetedTlsSocket(ssl.SSLSocket):
    """The same under TLS; the handshake is bounded by the plain socket's timeout."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        budget = in_force()
        self.settimeout(budget.seconds_left())
        received = super().recv_into(*args, **kwargs)
        budget.spend(received)
        return received

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(in_force().seconds_left())
        return super().send(*args, **kwargs)
