"""What intake answers, and the refusals that have an answer of their own."""

import msgspec
from msgspec import Struct, structs

TEXT = b"text/plain; charset=utf-8"
JSON = b"application/json"
RETRY_AFTER_SECONDS = b"5"

Headers = tuple[tuple[bytes, bytes], ...]


class Reply(Struct, frozen=True, gc=False):
    """Status, body and headers of one answer."""

    status: int
    body: bytes = b""
    content_type: bytes = TEXT
    headers: Headers = ()


class Stop(Exception):
    """The request ends here, with this answer. Nothing was kept."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body.decode())
        self.reply = reply


class Gone(Exception):
    """The client closed the connection before its request was complete: nobody to answer, nothing kept."""


NOT_FOUND = Reply(404, b"not found\n")


def sentence(status: int, text: str, headers: Headers = ()) -> Reply:
    """One line for a person."""
    return Reply(status, text.encode("utf-8", "backslashreplace") + b"\n", TEXT, headers)


POST_ONLY = sentence(405, "This address takes POST.", ((b"allow", b"POST"),))


def problem(status: int, text: str, headers: Headers = ()) -> Reply:
    """One line for a person, within JSON."""
    return Reply(status, msgspec.json.encode({"error": text}), JSON, headers)


PUBLIC: Headers = ((b"access-control-allow-origin", b"*"),)


def public(reply: Reply) -> Reply:
    """Returns a reply that a page of any site may read."""
    return structs.replace(reply, headers=(*reply.headers, *PUBLIC))


def later(text: str) -> Reply:
    """503 with Retry-After: nothing is known to be kept, the client should send it again."""
    return sentence(503, text, ((b"retry-after", RETRY_AFTER_SECONDS),))
