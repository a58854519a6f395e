"""gunicorn's threaded worker, with limits that keep slow clients from occupying threads.

Without it sixteen half-sent requests stop two processes of eight threads. Here a request gets a
thread when its head is complete; from then on it has some seconds, and more for each byte sent or
received.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

#: Seconds for the head of a request; and again for the first bytes of its body.
REQUEST_SECONDS: Final = 10.0
#: Bytes a second that an upload must send, or a reader must receive, on average after that.
BYTES_A_SECOND: Final = 16 << 10
#: Bytes of an answer sent at a time.
PIECE: Final = 1 << 16
#: Larger than any head that gunicorn accepts.
LARGEST_HEAD: Final = 64 << 10
#: Seconds between two checks of an incomplete head.
RECHECK_SECONDS: Final = 0.05


class PatientSocket(socket.socket):
    """A client's connection; exceeding a limit looks like a client that disconnected."""

    until: float | None = None
    seconds: float = REQUEST_SECONDS
    #: Seconds left for the client to receive more of an answer.
    patience: float = REQUEST_SECONDS
    now: Callable[[], float] = staticmethod(time.monotonic)

    def await_request(self) -> None:
        """The next byte that is read begins a new request."""
        self.until = None
        self.patience = self.seconds

    def has_head(self) -> bool | None:
        """Whether a complete head or the end was received; None: nothing yet. Consumes nothing."""
        try:
            seen = super().recv(LARGEST_HEAD, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return True
        return not seen or len(seen) == LARGEST_HEAD or b"\r\n\r\n" in seen

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        if self.until is None:
            self.until = self.now() + self.seconds
        left = self.until - self.now()
        if left <= 0:
            raise _went_away()
        self.settimeout(left)
        try:
            data = super().recv(*args, **kwargs)
        except TimeoutError:
            raise _went_away() from None
        self.until += len(data) / BYTES_A_SECOND
        return data

    def sendall(self, data: Any, *args: Any, **kwargs: Any) -> None:
        """In pieces: for a single call the limit would cover all of it."""
        left = memoryview(data).cast("B")
        while left:
            left = left[self._send_some(left[:PIECE]) :]

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Not by the kernel, which has no limit for the whole."""
        file.seek(offset)
        sent = 0
        while piece := file.read(PIECE if count is None else min(PIECE, count - sent)):
            self.sendall(piece)
            sent += len(piece)
        return sent

    def _send_some(self, piece: memoryview) -> int:
        began = self.now()
        self.settimeout(max(self.patience, 0.001))
        try:
            sent = super().send(piece)
        except TimeoutError:
            raise _went_away() from None
        waited = self.now() - began
        self.patience = min(self.seconds, self.patience - waited + sent / BYTES_A_SECOND)
        return sent


def _went_away() -> ConnectionResetError:
    # gunicorn ends such a connection without logging each.
    return ConnectionResetError(errno.ECONNRESET, "the client is too slow")


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Takes REQUEST_SECONDS from the environment, as every setting."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request_seconds = float(os.environ.get("REQUEST_SECONDS") or REQUEST_SECONDS)
        #: Connections with an incomplete head, and until when they may send the rest.
        self.half_sent: list[tuple[TConn, float]] = []

    def enqueue_req(self, conn: TConn) -> None:
        """Called for a new connection, and whenever a waiting or idle one becomes readable."""
        if not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket(fileno=conn.sock.detach())
            conn.sock.seconds = self.request_seconds
        if conn.parser is not None and conn.parser.unreader.buf.getvalue():
            self._give_a_thread(conn)  # the next request was read along with the last one
            return
        there = conn.sock.has_head()
        if there:
            self._give_a_thread(conn)
        elif there is None:
            self._await_first_byte(conn)
        else:
            self.half_sent.append((conn, time.monotonic() + self.request_seconds))

    def murder_pending(self) -> None:
        """Called with each turn of the loop: end what waits for too long, here and in gunicorn."""
        super().murder_pending()
        waiting, self.half_sent = self.half_sent, []
        for conn, until in waiting:
            if conn.sock.has_head():
                self._give_a_thread(conn)
            elif time.monotonic() < until:
                self.half_sent.append((conn, until))
            else:
                self.nr_conns -= 1
                conn.close()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        super().wait_for_and_dispatch_events(RECHECK_SECONDS if self.half_sent else timeout)

    def _give_a_thread(self, conn: TConn) -> None:
        conn.sock.await_request()
        conn.data_ready = True
        super().enqueue_req(conn)

    def _await_first_byte(self, conn: TConn) -> None:
        """In the poller, as gunicorn does with idle connections."""
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.request_seconds
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )
