"""Who opens connections and says nothing, or too much, is let go; everybody else is answered meanwhile."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from api.http.connections import impatient
from tests.support.graphql_server import Api, served
from tests.support.patience import PATIENCE

MOST = 50  # connections of the test's server
SOON = 2.0  # seconds of silence: more than a busy machine needs between the two halves of an honest request


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[Api]:
    with served(database_url, http=impatient(SOON, MOST)) as api:
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


def is_well(connection: socket.socket) -> None:
    connection.sendall(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
    told = b""
    while not told.endswith(b"ok\n"):
        part = connection.recv(1_000)
        assert part, told
        told += part
    assert told.startswith(b"HTTP/1.1 200 OK\r\n")


HALVES = {
    "nothing": b"",
    "a line": b"POST /graphql HTTP/1.1\r\n",
    "half a head": b"POST /graphql HTTP/1.1\r\nhost: a\r\nx-slow: " + b"y" * 1_000,
}


def test_a_half_open_connection_is_let_go(api: Api) -> None:
    connections = {name: opened(api) for name in HALVES}
    for name, said in HALVES.items():
        connections[name].sendall(said)
    assert answers(api)
    words = {name: last_words(connection) for name, connection in connections.items()}
    assert words == dict.fromkeys(HALVES, b"HTTP/1.1 408 Request Timeout")


def test_a_second_request_on_a_connection_may_not_be_slow_either(api: Api) -> None:
    connection = opened(api)
    is_well(connection)
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


def test_only_so_many_are_open_at_once_and_the_rest_is_told(fresh_database_url: str) -> None:
    """A server that lets nobody go takes exactly so many, in the order of their coming, and those are served.

    The bug of this test: how many were refused depended on how soon the first ones were let go for their silence.
    """
    with served(fresh_database_url, http=impatient(3_600.0, MOST)) as api, ExitStack() as stack:
        many = [stack.enter_context(opened(api)) for _ in range(500)]
        words = {last_words(connection) for connection in many[MOST:]}
        assert words == {b"HTTP/1.1 503 Service Unavailable"}
        for connection in many[:MOST]:
            is_well(connection)


def test_after_a_flood_the_server_answers_as_before(api: Api) -> None:
    """Each of those that say nothing is closed, one way or the other."""
    with ExitStack() as stack:
        many = [stack.enter_context(opened(api)) for _ in range(500)]
        words = {last_words(connection) for connection in many}
    assert words <= {b"HTTP/1.1 503 Service Unavailable", b"HTTP/1.1 408 Request Timeout"}
    assert b"HTTP/1.1 408 Request Timeout" in words
    assert answers(api)


def test_a_websocket_is_no_half_open_connection(api: Api) -> None:
    """A connection that says nothing, and came later, is let go before."""
    with api.subscribed("subscription { ringing { id } }") as websocket:
        assert last_words(opened(api)) == b"HTTP/1.1 408 Request Timeout"
        assert websocket.ping().wait(PATIENCE)
