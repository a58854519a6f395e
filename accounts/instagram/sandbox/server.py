"""HTTP/1.1 server over asyncio: one thread, one state, keep-alive connections.

A framework would cost more than the answers do: pages are cached as bytes, and a benchmark must
never wait for the sandbox.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
from http import HTTPStatus
from types import TracebackType
from urllib.parse import unquote

from accounts.instagram.sandbox.control import Control
from accounts.instagram.sandbox.dialog import Dialog
from accounts.instagram.sandbox.graph import Graph
from accounts.instagram.sandbox.messages import (
    Answer,
    BadRequest,
    Handler,
    Request,
    Response,
    as_json,
    parse_query,
)
from accounts.instagram.sandbox.world import World

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024
SEND_BUFFER = 256 * 1024
PHRASES = {status.value: status.phrase for status in HTTPStatus}
logger = logging.getLogger(__name__)


def application(world: World) -> Handler:
    """All three of Instagram's hosts in one, and the control routes."""
    control, dialog, graph = Control(world), Dialog(world), Graph(world)

    def handle(request: Request) -> Answer:
        world.asked = True
        try:
            if request.path.startswith("/_sandbox/"):
                return control.handle(request)
            if request.path.rstrip("/") == "/oauth/authorize":
                return dialog.authorize(request)
            if request.path.rstrip("/") == "/oauth/access_token":
                return dialog.exchange(request)
            return graph.handle(request)
        except BadRequest as error:
            return as_json({"detail": str(error)}, error.status)

    return handle


class Connection(asyncio.Protocol):
    """Requests of one connection are answered in their order, one at a time."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.buffer = bytearray()
        self.busy = False
        self.transport: asyncio.Transport | None = None
        self.local = False
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        # A whole page is sent in one write, without waiting for the reader.
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        peer = transport.get_extra_info("peername")
        self.local = bool(peer) and ipaddress.ip_address(peer[0]).is_loopback

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._next()

    def _next(self) -> None:
        """Answer the complete requests in the buffer."""
        while not self.busy and self.transport is not None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self.buffer) > MAX_HEAD:
                    self._refuse(431)
                return
            head = bytes(self.buffer[:end]).decode("latin-1")
            request_line, *lines = head.split("\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _colon, value in (line.partition(":") for line in lines)
            }
            length = headers.get("content-length", "0")
            if "transfer-encoding" in headers or not length.isdigit() or int(length) > MAX_BODY:
                self._refuse(411 if "transfer-encoding" in headers else 413)
                return
            whole = end + 4 + int(length)
            if len(self.buffer) < whole:
                if headers.get("expect", "").lower() == "100-continue":
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = bytes(self.buffer[end + 4 : whole])
            del self.buffer[:whole]
            self._answer(request_line, headers, body)

    def _answer(self, request_line: str, headers: dict[str, str], body: bytes) -> None:
        parts = request_line.split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            self._refuse(400)
            return
        path, _mark, query = parts[1].partition("?")
        request = Request(
            parts[0],
            unquote(path),
            parse_query(query),
            body,
            headers.get("content-type", ""),
            self.local,
        )
        keep = parts[2] == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        try:
            answer = self.handler(request)
        except Exception:
            logger.exception("the sandbox failed at %s %s", request.method, request.path)
            answer = as_json({"detail": "the sandbox itself failed; see its log"}, 500)
        if isinstance(answer, Response) and not answer.delay:
            self._send(answer, keep=keep)
        else:
            self.busy = True
            # Stored in a field: the loop holds only weak references to tasks.
            self.task = asyncio.get_running_loop().create_task(self._send_later(answer, keep))

    async def _send_later(self, answer: Answer, keep: bool) -> None:
        try:
            response = answer if isinstance(answer, Response) else await answer
        except Exception:
            logger.exception("the sandbox failed")
            response = as_json({"detail": "the sandbox itself failed; see its log"}, 500)
        if response.delay:
            await asyncio.sleep(response.delay)
        self._send(response, keep=keep)
        self.busy = False
        self._next()

    def _send(self, response: Response, *, keep: bool) -> None:
        if self.transport is None:
            return
        head = [
            f"HTTP/1.1 {response.status} {PHRASES.get(response.status, '')}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            f"Connection: {'keep-alive' if keep else 'close'}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        message = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + response.body
        if response.dropped:
            self.transport.write(message[: len(message) - len(response.body) // 2 - 1])
            self.transport.close()
            return
        self.transport.write(message)
        if not keep:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        self._send(as_json({"detail": PHRASES[status]}, status), keep=False)
        self.buffer.clear()


async def serve(world: World, host: str, port: int) -> asyncio.Server:
    """Port 0 takes any free one; the server's sockets name it."""
    handler = application(world)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(handler), host, port, backlog=512)


class ThreadedServer:
    """The server in a thread of its own, for tests and benchmarks in the same process."""

    def __init__(self, world: World, host: str = "127.0.0.1", port: int = 0) -> None:
        self._arguments = (world, host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.base_url = ""

    def __enter__(self) -> ThreadedServer:
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(serve(*self._arguments), self._loop)
        self._server = started.result(timeout=30)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.base_url = f"http://{host}:{port}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
