"""Which addresses a member may have us speak to: everything special is refused, by default."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from accounts.outbound import special_ranges
from accounts.outbound.addresses import is_allowed_url, is_public

REFUSED = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254",
    "172.16.0.1", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "168.63.129.16",
    "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "64:ff9b:1::808:808", "100::1", "100:0:0:1::1", "2001::1", "2001:db8::1", "2001:20::1",
    "2002:7f00:1::", "2002:808:808::", "2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff0e::1",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_no_special_address_is_public(text):
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "8.8.8.8", "93.184.216.34", "168.63.129.17", "192.0.1.1", "2606:2800:220:1::1",
        "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
    ],
)  # fmt: skip
def test_a_server_on_the_internet_is_public(text):
    assert is_public(ip_address(text))


def test_each_range_of_the_list_is_refused_from_its_first_address_to_its_last():
    for text in (*special_ranges.IPV4, *special_ranges.IPV6, *special_ranges.OF_PROVIDERS):
        network = ip_network(text)  # raises for host bits: the list has no typing error
        assert not is_public(network[0]), text
        assert not is_public(network[-1]), text


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "https://", "https://user:pass@example.org/", "https://[",
        "https://example.org:0/", "https://localhost/", "https://x.localhost/", "https://db/",
        "https://metadata.google.internal/", "https://printer.local/", "https://[fe80::1%25eth0]/",
        *(f"https://[{text}]/" if ":" in text else f"https://{text}/" for text in REFUSED),
    ],
)  # fmt: skip
def test_an_address_in_our_own_network_cannot_be_named(url):
    assert not is_allowed_url(url, private=False)


def test_a_name_on_the_internet_can_be_named_and_the_operator_may_allow_all():
    assert is_allowed_url("https://cloud.example.org:8443/x?y=1", private=False)
    assert is_allowed_url("http://localhost:8000/", private=True)
