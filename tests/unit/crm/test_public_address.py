"""Printed addresses: CRM_PUBLIC_URL where it is set, and a warning where vendors cannot reach them."""

import pytest

from crm.public_address import ONLY_HERE, ONLY_NEAR, intake_url, url_of, warning
from crm.settings import Settings


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1:8080", ONLY_HERE),
        ("http://localhost:8080/in/1", ONLY_HERE),
        ("http://[::1]:8080", ONLY_HERE),
        ("http://0.0.0.0:8080", ONLY_HERE),
        ("http://192.168.1.10:8080", ONLY_NEAR),
        ("http://10.0.0.5", ONLY_NEAR),
        ("http://intake:8080", ONLY_NEAR),
        ("http://crm.internal", ONLY_NEAR),
        ("https://crm.example.com", ""),
        ("https://8.8.8.8", ""),
        ("https://abc.trycloudflare.com/in/1", ""),
    ],
)
def test_who_can_reach_an_address(url: str, sentence: str) -> None:
    assert warning(url) == sentence


def test_the_public_url_is_before_all_others() -> None:
    public, plain = Settings(public_url="https://crm.example.com/"), Settings(intake_port=8090)
    assert intake_url(public, "http://127.0.0.1:1", {}) == "https://crm.example.com"
    assert intake_url(plain, "http://127.0.0.1:1", {"CRM_INTAKE_URL": "http://intake:2"}) == "http://127.0.0.1:1"
    assert intake_url(plain, "", {"CRM_INTAKE_URL": "http://intake:2/"}) == "http://intake:2"
    assert intake_url(plain, "", {}) == "http://127.0.0.1:8090"


def test_the_url_for_a_vendor() -> None:
    assert url_of("https://a.ua", "17", "signature") == "https://a.ua/in/17"
    assert url_of("https://a.ua", "17", "access token") == "https://a.ua/facts"
