"""One POST to an address that a member chose: never into our own network.

The name is resolved once, every address of it must be public, and the connection goes to the very
address that was checked, so that a name that changes its mind between check and use gains nothing
(DNS rebinding). Redirects are not followed; of the answer only the status is read.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from urllib3.exceptions import HTTPError

from accounts.errors import InvalidInput, RetryLater

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT: Final = urllib3.Timeout(connect=5, read=10)


def check_address(url: str) -> None:
    """Raises InvalidInput for what can be no target: not https, with a password, or our own net."""
    private = settings.WEBHOOKS_TO_PRIVATE_NETWORKS
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad_address() from error
    schemes = ("https", "http") if private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or port == 0 or "@" in parts.netloc:
        raise _bad_address()
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return  # a name: what it stands for is looked at when it is used
    if not private and not is_public(literal):
        raise _bad_address()


def check_reachable(url: str) -> None:
    """As `check_address`, and what its name stands for just now is public too."""
    check_address(url)
    parts = urlsplit(url)
    try:
        _resolved(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except RetryLater as error:
        raise _bad_address() from error


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The answer's status. Raises RetryLater if there is none, or the target is not public."""
    check_address(url)
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolved(host, port)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {**headers, "Host": parts.netloc}
    try:
        with _pool(parts.scheme, address, port, host) as pool:
            answer = pool.request(
                "POST", path, body=body, headers=sent, redirect=False, preload_content=False
            )
            status = int(answer.status)
            answer.close()
            return status
    except (HTTPError, OSError, ValueError) as error:
        raise RetryLater(detail=type(error).__name__) from error


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Reachable from everywhere, and no disguise of an address that is not."""
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address in _NAT64
    ):
        return False
    return address.is_global and not address.is_multicast


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def _resolved(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RetryLater(detail="name_unknown") from error
    addresses = [str(entry[4][0]) for entry in found]
    for text in addresses:
        public = is_public(ipaddress.ip_address(text.partition("%")[0]))
        if not public and not settings.WEBHOOKS_TO_PRIVATE_NETWORKS:
            raise RetryLater(detail="address_not_public")
    return addresses[0]


def _pool(scheme: str, address: str, port: int, host: str) -> urllib3.HTTPConnectionPool:
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=TIMEOUT, retries=False)
    return urllib3.HTTPSConnectionPool(
        address,
        port,
        timeout=TIMEOUT,
        retries=False,
        cert_reqs="CERT_REQUIRED",
        server_hostname=host,
        assert_hostname=host,
    )


def _bad_address() -> InvalidInput:
    return InvalidInput(
        "webhook_address_refused",
        _("This address cannot be used. Give a public https address without a password in it."),
        field="url",
    )
