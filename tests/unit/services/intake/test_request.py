"""The URL and the peer of a delivery, also behind a proxy."""

from typing import Any

import pytest

from services.intake.request import Frontend, headers_of, path_of

FORWARDED = [
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"evil.example, crm.example.com"),
    (b"x-forwarded-for", b"1.1.1.1, 203.0.113.7"),
]


def scope(*headers: tuple[bytes, bytes], path: str = "/in/1") -> dict[str, Any]:
    return {
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "headers": [(b"host", b"10.0.0.5:8080"), *headers],
        "client": ("10.0.0.1", 4711),
    }


@pytest.mark.parametrize(
    ("frontend", "headers", "base", "peer"),
    [
        (Frontend(), [], "http://10.0.0.5:8080", "10.0.0.1"),
        (Frontend(), FORWARDED, "http://10.0.0.5:8080", "10.0.0.1"),
        (Frontend(trust_forwarded=True), FORWARDED, "https://crm.example.com", "203.0.113.7"),
        (Frontend(trust_forwarded=True), [], "http://10.0.0.5:8080", "10.0.0.1"),
        (Frontend("https://hooks.example.com/potik"), FORWARDED, "https://hooks.example.com/potik", "10.0.0.1"),
        (Frontend("https://hooks.example.com", True), FORWARDED, "https://hooks.example.com", "203.0.113.7"),
    ],
)
def test_a_forwarded_header_is_believed_only_where_a_setting_says_so(
    frontend: Frontend, headers: list[tuple[bytes, bytes]], base: str, peer: str
) -> None:
    asgi = scope(*headers)
    given = headers_of(asgi)
    assert (frontend.base_url(asgi, given), frontend.peer(asgi, given)) == (base, peer)


def test_a_unix_socket_has_no_peer() -> None:
    assert Frontend().peer({"client": None}, {}) == ""


def test_the_path_is_as_it_was_called() -> None:
    assert path_of(scope(path="/in/1/%D1%97%20a")) == "/in/1/%D1%97%20a"
    assert path_of({"path": "/in/1"}) == "/in/1"


@pytest.mark.parametrize(
    "url", ["crm.example.com", "https://", "https://crm.example.com/?a=1", "ftp://crm.example.com"]
)
def test_a_public_url_that_is_none_is_a_sentence_at_start(url: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        Frontend.read(url, 0)
    assert stopped.value.code == (
        f"CRM_PUBLIC_URL is {url!r}; it takes the URL that vendors call, such as https://crm.example.com."
    )


def test_a_public_url_is_read_without_its_last_slash() -> None:
    assert Frontend.read("https://crm.example.com/potik/", 1) == Frontend("https://crm.example.com/potik", True)
    assert Frontend.read("", 0) == Frontend()
