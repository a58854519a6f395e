"""Closed-loop HTTP client: few keep-alive connections, each asking as soon as it is answered.

Client and server share the machine, so the client does as little work as possible.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.results import WrongResult

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, and the seconds until it was read completely."""

    status: int
    seconds: float


class Connection:
    """One keep-alive HTTP/1.1 connection; raises OSError when the server has closed it."""

    def __init__(self, site: str) -> None:
        place = urlsplit(site)
        self._host = place.netloc
        self._socket = socket.create_connection((place.hostname, place.port or 80), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")

    def get(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Send a request and read the whole answer."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        begun = time.perf_counter()
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        status = int(self._reader.readline().split()[1])
        length = 0
        while (line := self._reader.readline()) not in {b"\r\n", b""}:
            name, _colon, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self._reader.read(length)
        return Answer(status, time.perf_counter() - begun)

    def close(self) -> None:
        self._reader.close()
        self._socket.close()


def per_second(site: str, path: str, headers: Mapping[str, str], seconds: float) -> float:
    """Answers a second over CONNECTIONS connections. Raises WrongResult for any but 200."""
    until = time.perf_counter() + seconds
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        counts = pool.map(_count, [(site, path, headers, until)] * CONNECTIONS)
        return sum(counts) / seconds


def _count(asked: tuple[str, str, Mapping[str, str], float]) -> int:
    site, path, headers, until = asked
    return _while(lambda: time.perf_counter() < until, Connection(site), path, headers)


def _while(
    going: Callable[[], bool], connection: Connection, path: str, headers: Mapping[str, str]
) -> int:
    answered = 0
    while going():
        answer = connection.get(path, headers)
        if answer.status != 200:
            raise WrongResult(f"{path}: {answer.status}")
        answered += 1
    connection.close()
    return answered
