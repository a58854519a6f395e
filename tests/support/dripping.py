"""Servers on loopback that never come to an end: a byte now and then, or bytes without number."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import repeat

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#: Slower than any deadline that a test sets, and far faster than any limit for one read.
PAUSE = 0.05


class Endless:
    """Answers each connection with `first`, then with `again` for ever, `pause` seconds apart."""

    def __init__(self, first: bytes, again: bytes, pause: float) -> None:
        self.first, self.again, self.pause = first, again, pause
        self.sent = 0
        self.connections = 0
        self._ended = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._ended.set()
        # To close it alone would not wake the thread that waits for a visitor.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._listening.accept()
                self.connections += 1
                threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.recv(65_536)
            connection.sendall(self.first)
            for piece in repeat(self.again):
                if self._ended.wait(self.pause):
                    return
                connection.sendall(piece)
                self.sent += len(piece)


@contextmanager
def endless(first: bytes, again: bytes, pause: float = PAUSE) -> Iterator[Endless]:
    server = Endless(first, again, pause)
    try:
        yield server
    finally:
        server.stop()


#: Where a server can drip: in its status line, its headers, its body, and its chunks.
DRIPS = {
    "status": (b"HTTP/1.1 ", b" "),
    "headers": (HEAD, b"X-More: 1\r\n"),
    "body": (HEAD + b"Content-Length: 1000000\r\n\r\n", b" "),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}
FLOOD = (HEAD + b"\r\n", b" " * 65_536)
