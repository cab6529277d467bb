"""Which URLs nothing is sent to."""

import pytest

from crm.webhook_urls import problem, webhook_hosts

FORBIDDEN = [
    "https://127.0.0.1/",
    "https://10.1.2.3/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fe80::1]/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://017700000001/",
    "https://localhost/",
    "https://localhost./",
    "https://metadata/",
    "http://example.com/",
    "ftp://example.com/",
    "https://",
    "https:///path",
    "example.com/hook",
    "https://user:word@example.com/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com/#part",
    "https://exa mple.com/",
    "https://example.com/\r\nx: y",
    "https://[::1",
    "",
    "https://example.com/" + "a" * 2_000,
]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_nothing_is_sent_there_and_it_says_why(url: str) -> None:
    why = problem(url)
    assert why is not None
    assert why.endswith(".")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hooks?key=1",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]:8443/",
        "https://xn--80ak6aa92e.com/",
        "https://a1.b2.c3/",
        "https://0xdead.example/",
    ],
)
def test_what_is_public_is_allowed(url: str) -> None:
    assert problem(url) is None


def test_hosts_of_a_developer_are_allowed_by_http() -> None:
    hosts = webhook_hosts(" 127.0.0.1, LocalHost,")
    assert hosts == ("127.0.0.1", "localhost")
    assert problem("http://127.0.0.1:9000/x", hosts) is None
    assert problem("http://localhost/x", hosts) is None
    assert problem("http://127.0.0.2/x", hosts) is not None


def test_one_port_of_a_host_can_be_allowed() -> None:
    hosts = webhook_hosts("127.0.0.1:9000")
    assert problem("http://127.0.0.1:9000/x", hosts) is None
    for url in ("http://127.0.0.1/x", "http://127.0.0.1:9001/x", "https://127.0.0.1:90/", "http://127.0.0.1:09001/"):
        assert problem(url, hosts) is not None
