"""The refusal of a request before execution: an HTTP status, a code, and a sentence that says what to do."""

import msgspec

Header = tuple[bytes, bytes]
CHALLENGE = (b"www-authenticate", b"Bearer")
RETRY = (b"retry-after", b"1")


class Refusal(Exception):
    """The request was refused; nothing was read or changed."""

    def __init__(self, status: int, code: str, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def body(self) -> bytes:
        """Returns the response body in GraphQL's error format."""
        return msgspec.json.encode({"errors": [{"message": self.message, "extensions": {"code": self.code}}]})


class ClientGone(Exception):
    """The client disconnected before the request was complete, so there is nobody to answer."""
