"""HTTP client: urllib3 over budgeted sockets, to checked addresses.

Redirects are not followed and nothing is retried: callers decide that. No error contains a URL,
since Instagram's contain tokens.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from accounts.outbound.addresses import NameUnknown, NotPublic, dial
from accounts.outbound.budget import Budget, in_force
from accounts.outbound.sockets import BudgetedSocket, BudgetedTlsSocket

PIECE: Final = 1 << 16
MOST_STREAMED: Final = 16 << 20


class OutboundError(Exception):
    """No complete answer was received.

    `reason`: too_slow, too_large, address_not_public, name_unknown, declaration_in_xml, else
    urllib3's own word.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Answer:
    """An answer whose body is not read yet. Every method that reads may raise OutboundError."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self.status = int(response.status)
        self.headers: Mapping[str, str] = response.headers

    def read(self, size: int = PIECE) -> bytes:
        """Up to `size` bytes as they were sent, still encoded; b"" at the end."""
        trouble: OutboundError | None = None
        try:
            return self._response.read(size, decode_content=False)
        except (HTTPError, OSError) as error:
            trouble = _named(error, in_force())
        self.close()
        raise trouble

    def body(self, most: int) -> bytes:
        """The whole decoded body. OutboundError("too_large") for more than `most` bytes."""
        trouble: OutboundError | None = None
        try:
            data = self._response.read(most + 1, decode_content=True)
        except (HTTPError, OSError) as error:
            trouble = _named(error, in_force())
        else:
            if len(data) <= most:
                self._response.release_conn()
                return data
            trouble = OutboundError("too_large")
        self.close()
        raise trouble

    def stream(self, *, most: int | None = MOST_STREAMED) -> Iterator[bytes]:
        """The body in pieces, still encoded. OutboundError("too_large") beyond `most` bytes."""
        size = 0
        while piece := self.read():
            size += len(piece)
            if most is not None and size > most:
                self.close()
                raise OutboundError("too_large")
            yield piece

    def close(self) -> None:
        """Close the connection without reading the rest of the body."""
        self._response.close()

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Client:
    """A connection pool, with `kept` connections per host.

    `public_only`: https only, and only to public addresses. Safe to share between threads, not
    across a fork.
    """

    def __init__(self, *, public_only: bool, kept: int = 1) -> None:
        self.public_only = public_only
        self._pools = urllib3.PoolManager(
            maxsize=kept, num_pools=8, retries=False, ssl_context=_tls()
        )
        self._pools.pool_classes_by_scheme = _PUBLIC if public_only else _ANY

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | str | None = None,
    ) -> Answer:
        """Return the answer's head. Raises OutboundError outside `except`, without the URL."""
        budget = in_force()
        if self.public_only and not url.startswith("https://"):
            raise OutboundError("address_not_public")
        try:
            response = self._pools.request(
                method,
                url,
                body=body,
                headers={"Accept-Encoding": "identity", **headers},
                redirect=False,
                preload_content=False,
            )
        except (HTTPError, OSError, ValueError) as error:
            trouble = _named(error, budget)
        else:
            return Answer(response)
        raise trouble


def client_for_member_url() -> Client:
    """For a URL entered by a member: public https, unless the operator allows all."""
    return Client(public_only=not settings.WEBHOOKS_TO_PRIVATE_NETWORKS)


def client_for_operator_url(*, kept: int = 1) -> Client:
    """For a URL from the settings, or one that the operator entered."""
    return Client(public_only=False, kept=kept)


def _named(error: Exception, budget: Budget) -> OutboundError:
    if isinstance(error, NotPublic):
        return OutboundError("address_not_public")
    if isinstance(error, NameUnknown):
        return OutboundError("name_unknown")
    if budget.is_out_of_bytes():
        return OutboundError("too_large")
    if budget.is_out_of_time():
        return OutboundError("too_slow")
    return OutboundError(type(error).__name__)


@cache
def _tls() -> ssl.SSLContext:
    """One for all clients: reading the machine's certificates takes 20 ms."""
    context = urllib3.util.ssl_.create_urllib3_context()
    context.load_default_certs()
    context.sslsocket_class = BudgetedTlsSocket
    return context


class _Dialled(HTTPConnection):
    """Connects by `dial`; TLS still verifies the certificate for the name."""

    public_only = False

    def _new_conn(self) -> BudgetedSocket:
        try:
            return dial(self.host.strip("[]"), self.port or 80, public_only=self.public_only)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "too slow") from error
        except OSError as error:
            raise NewConnectionError(self, type(error).__name__) from error


class _DialledTls(_Dialled, HTTPSConnection):
    pass


class _DialledPublic(_Dialled):
    public_only = True


class _DialledPublicTls(_DialledTls):
    public_only = True


def _classes(bare: type[_Dialled], tls: type[_DialledTls]) -> dict[str, type[HTTPConnectionPool]]:
    return {
        "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": bare}),
        "https": type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }


_ANY: Final = _classes(_Dialled, _DialledTls)
_PUBLIC: Final = _classes(_DialledPublic, _DialledPublicTls)
