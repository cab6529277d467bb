"""Only addresses of the public Internet are public, in whatever form they are written."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.public_networks import is_public

PRIVATE_TEXT = """0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1
198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:7f00:1 0:0:0:0:0:ffff:a9fe:a9fe
64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::a00:1 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:20::1 2001:db8::1
2002:7f00:1:: 2002:a00:1::1 2002:808:808:: 3fff::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1
ff0e::1 2606:4700::1%1 4000::1 5f00::1"""
PUBLIC_TEXT = """8.8.8.8 1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.1.1
172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 198.17.1.1 198.20.0.0 223.255.255.255
2606:4700::1111 2a00:1450:4001::1 2001:200::1 2001:4860:4860::8888 2400:cb00::1"""
PRIVATE, PUBLIC = PRIVATE_TEXT.split(), PUBLIC_TEXT.split()
NO_ADDRESS = [
    "",
    "localhost",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "[::1]",
    "8.8.8.8:80",
    "8.8.8.8 ",
    "٨.8.8.8",
]


@pytest.mark.parametrize("address", PRIVATE + NO_ADDRESS)
def test_these_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_these_are(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_of_version_4_none_is_that_python_knows_as_special(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not is_public(str(address))


@given(st.ip_addresses(v=6))
def test_of_version_6_none_is_that_python_knows_as_special_or_that_carries_another(address: IPv6Address) -> None:
    carries = address.ipv4_mapped or address.sixtofour or address.teredo
    if not address.is_global or address.is_multicast or address.is_reserved or carries:
        assert not is_public(str(address))


@given(st.ip_addresses(v=4))
def test_no_way_to_carry_an_address_of_version_4_is_public(address: IPv4Address) -> None:
    number = int(address)
    mapped, nat64 = (0xFFFF << 32) | number, (0x64FF9B << 96) | number
    sixtofour = (0x2002 << 112) | (number << 80) | 1
    assert not any(is_public(str(IPv6Address(carried))) for carried in (number, mapped, nat64, sixtofour))
