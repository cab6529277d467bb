"""Who opens connections and says nothing, or too much, is let go; everybody else is answered meanwhile."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from api.http.connections import impatient
from tests.connected.graph import Api, served

MOST = 50  # connections of the test's server


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[Api]:
    with served(database_url, http=impatient(0.5, MOST)) as api:
        yield api


def opened(api: Api) -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=60)


def last_words(connection: socket.socket) -> bytes:
    """Waits until the server has closed it."""
    with connection:
        told = b""
        while part := connection.recv(1_000):
            told += part
        return told.split(b"\r\n")[0]


def answers(api: Api) -> bool:
    return api.data("{ deal(number: 7) { number } }") == {"deal": {"number": 7}}


@pytest.mark.parametrize(
    "said",
    [b"", b"POST /graphql HTTP/1.1\r\n", b"POST /graphql HTTP/1.1\r\nhost: a\r\nx-slow: " + b"y" * 1_000],
    ids=["nothing", "a line", "half a head"],
)
def test_a_half_open_connection_is_let_go(api: Api, said: bytes) -> None:
    connection = opened(api)
    connection.sendall(said)
    assert answers(api)
    assert last_words(connection) == b"HTTP/1.1 408 Request Timeout"


def test_a_second_request_on_a_connection_may_not_be_slow_either(api: Api) -> None:
    connection = opened(api)
    connection.sendall(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
    told = b""
    while not told.endswith(b"ok\n"):
        told += connection.recv(1_000)
    connection.sendall(b"GET /livez HTTP/1.1\r\nhost:")
    assert last_words(connection) == b"HTTP/1.1 408 Request Timeout"


def test_a_head_has_a_size(api: Api) -> None:
    connection = opened(api)
    connection.sendall(b"GET /livez HTTP/1.1\r\n" + b"x-much: y\r\n" * 8_000)
    assert last_words(connection) == b"HTTP/1.1 431 Request Header Fields Too Large"


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x02\0\x01", b"\0" * 100, b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\n"])
def test_what_is_no_http_is_refused(api: Api, said: bytes) -> None:
    connection = opened(api)
    connection.sendall(said)
    assert last_words(connection) in (b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 408 Request Timeout")


def test_only_so_many_are_open_at_once_and_the_rest_is_told(api: Api) -> None:
    """Of 500 that say nothing each is closed, and the server answers afterwards as before."""
    with ExitStack() as stack:
        many = [stack.enter_context(opened(api)) for _ in range(500)]
        words = [last_words(connection) for connection in many]
    assert words.count(b"HTTP/1.1 503 Service Unavailable") >= 500 - MOST
    assert set(words) <= {b"HTTP/1.1 503 Service Unavailable", b"HTTP/1.1 408 Request Timeout"}
    assert answers(api)


def test_a_websocket_is_no_half_open_connection(api: Api) -> None:
    """A connection that says nothing, and came later, is let go before."""
    with api.subscribed("subscription { ringing { id } }") as websocket:
        assert last_words(opened(api)) == b"HTTP/1.1 408 Request Timeout"
        assert websocket.ping().wait(5)
