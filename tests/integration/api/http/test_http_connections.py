"""Silent, slow and oversized connections are closed; other clients are answered meanwhile."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from api.http.connections import BoundedHttpProtocol
from tests.support.graphql_server import ApiServer, api_server
from tests.support.timeouts import TIMEOUT

MOST = 50  # connections of the test's server
SOON = 2.0  # seconds of silence: more than a busy machine needs between the two halves of an honest request


def bounded_protocol(seconds: float, most: int) -> type[BoundedHttpProtocol]:
    """Returns the class with other limits, for a smaller server."""
    return type("BoundedHttpProtocol", (BoundedHttpProtocol,), {"seconds": seconds, "most": most})


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url, http=bounded_protocol(SOON, MOST)) as api:
        yield api


def opened(api: ApiServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=TIMEOUT)


def last_words(connection: socket.socket) -> bytes:
    """Waits until the server has closed it."""
    with connection:
        received = b""
        while part := connection.recv(1_000):
            received += part
        return received.split(b"\r\n")[0]


def answers(api: ApiServer) -> bool:
    return api.data("{ deal(number: 7) { number } }") == {"deal": {"number": 7}}


def is_well(connection: socket.socket) -> None:
    connection.sendall(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
    received = b""
    while not received.endswith(b"ok\n"):
        part = connection.recv(1_000)
        assert part, received
        received += part
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")


HALVES = {
    "nothing": b"",
    "a line": b"POST /graphql HTTP/1.1\r\n",
    "half a head": b"POST /graphql HTTP/1.1\r\nhost: a\r\nx-slow: " + b"y" * 1_000,
}


def test_an_incomplete_request_is_closed(api: ApiServer) -> None:
    connections = {name: opened(api) for name in HALVES}
    for name, said in HALVES.items():
        connections[name].sendall(said)
    assert answers(api)
    words = {name: last_words(connection) for name, connection in connections.items()}
    assert words == dict.fromkeys(HALVES, b"HTTP/1.1 408 Request Timeout")


def test_a_second_request_on_a_connection_may_not_be_slow_either(api: ApiServer) -> None:
    connection = opened(api)
    is_well(connection)
    connection.sendall(b"GET /livez HTTP/1.1\r\nhost:")
    assert last_words(connection) == b"HTTP/1.1 408 Request Timeout"


def test_a_head_has_a_size(api: ApiServer) -> None:
    connection = opened(api)
    connection.sendall(b"GET /livez HTTP/1.1\r\n" + b"x-much: y\r\n" * 8_000)
    assert last_words(connection) == b"HTTP/1.1 431 Request Header Fields Too Large"


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x02\0\x01", b"\0" * 100, b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\n"])
def test_bytes_that_are_not_http_are_refused(api: ApiServer, said: bytes) -> None:
    connection = opened(api)
    connection.sendall(said)
    assert last_words(connection) in (b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 408 Request Timeout")


def test_connections_over_the_limit_are_refused_with_503(fresh_database_url: str) -> None:
    """A server without a time limit accepts exactly the limit, in order of arrival, and serves these.

    The bug of this test: how many were refused depended on how soon the first ones were let go for their silence.
    """
    with api_server(fresh_database_url, http=bounded_protocol(3_600.0, MOST)) as api, ExitStack() as stack:
        many = [stack.enter_context(opened(api)) for _ in range(500)]
        words = {last_words(connection) for connection in many[MOST:]}
        assert words == {b"HTTP/1.1 503 Service Unavailable"}
        for connection in many[:MOST]:
            is_well(connection)


def test_after_a_flood_the_server_answers_as_before(api: ApiServer) -> None:
    """Each of those that say nothing is closed, one way or the other."""
    with ExitStack() as stack:
        many = [stack.enter_context(opened(api)) for _ in range(500)]
        words = {last_words(connection) for connection in many}
    assert words <= {b"HTTP/1.1 503 Service Unavailable", b"HTTP/1.1 408 Request Timeout"}
    assert b"HTTP/1.1 408 Request Timeout" in words
    assert answers(api)


def test_a_websocket_is_not_an_incomplete_request(api: ApiServer) -> None:
    """A connection that says nothing, and came later, is let go before."""
    with api.subscribed("subscription { ringing { id } }") as websocket:
        assert last_words(opened(api)) == b"HTTP/1.1 408 Request Timeout"
        assert websocket.ping().wait(TIMEOUT)
