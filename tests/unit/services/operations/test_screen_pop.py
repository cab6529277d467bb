"""Following /screen-pop from a terminal: it resumes by the last id, and says why it is refused."""

import httpx
import pytest

from services.operations.screen_pop import RETRY_SECONDS, Refused, Screen

RING = b'event: ring\nid: b\ndata: {"call_id":"1"}\n\n'
END = b'event: end\nid: c\ndata: {"call_id":"1"}\n\n'


def following(*answers: bytes | httpx.Response | type[Exception]) -> tuple[Screen, list[httpx.Request], list[float]]:
    requests: list[httpx.Request] = []
    waits: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        given = answers[len(requests) - 1]
        if isinstance(given, type):
            raise given("gone")
        return httpx.Response(200, content=given) if isinstance(given, bytes) else given

    made = httpx.MockTransport(answer)
    return Screen("http://api/screen-pop", "crm_live_x", ["101", "b c"], made, waits.append), requests, waits


def test_it_connects_again_with_the_last_id() -> None:
    screen, requests, waits = following(
        b"retry: 2000\n\nid: a\n\n" + RING, httpx.ConnectError, httpx.Response(503), b":\nid: c0\n\n", END
    )
    happened = screen.follow()
    assert [next(happened) for _ in range(2)] == [("ring", {"call_id": "1"}), ("end", {"call_id": "1"})]
    assert [request.headers.get("last-event-id") for request in requests] == [None, "b", "b", "b", "c0"]
    assert str(requests[0].url) == "http://api/screen-pop?employee=101&employee=b+c"
    assert requests[0].headers["authorization"] == "Bearer crm_live_x"
    assert waits == [RETRY_SECONDS] * 4


def test_a_cursor_that_is_none_is_forgotten_and_the_stream_begins_again() -> None:
    refused = b'event: refused\nid\ndata: {"code":"BAD_CURSOR","message":"m"}\n\n'
    screen, requests, _ = following(RING + refused, END)
    happened = screen.follow()
    assert [next(happened)[0] for _ in range(3)] == ["ring", "refused", "end"]
    assert "last-event-id" not in requests[1].headers


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(401, json={"errors": [{"message": "This token is unknown."}]}), "This token is unknown."),
        (httpx.Response(404, text="not found"), "The address answers 404: is it that of the API?"),
        (b'event: refused\ndata: {"code":"UNAUTHORIZED","message":"It was revoked."}\n\n', "It was revoked."),
    ],
)
def test_what_would_not_help_is_not_tried_again(answer: bytes | httpx.Response, why: str) -> None:
    screen, requests, _ = following(answer)
    with pytest.raises(Refused) as error:
        next(screen.follow())
    assert (str(error.value), len(requests)) == (why, 1)
