"""Visitors who are not signed in: the address for their quotas, and the 429 answer."""

from __future__ import annotations

import math
from ipaddress import IPv6Address, ip_address, ip_network

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import clock
from accounts.errors import WaitUntil


def mark_of(request: HttpRequest) -> str:
    """The IPv4 address, or the /64 network of an IPv6 address.

    TRUSTED_PROXY_COUNT is the number of trusted proxies. Raises PermissionDenied if no address is
    known.
    """
    address = ip_address(get_adapter(request).get_client_ip(request))
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False))


def quota_exceeded(request: HttpRequest, error: WaitUntil) -> HttpResponse:
    """The 429 page, with Retry-After."""
    return set_retry_after(render(request, "429.html", status=429), error)


def set_retry_after(response: HttpResponse, error: WaitUntil) -> HttpResponse:
    seconds = math.ceil((error.at - clock.now()).total_seconds())
    response.headers["Retry-After"] = str(max(1, seconds))
    return response
