"""A request that is answered before any of it is run: a status, a code, and a sentence that says what to do."""

import msgspec

Header = tuple[bytes, bytes]
CHALLENGE = (b"www-authenticate", b"Bearer")
RETRY = (b"retry-after", b"1")


class Refusal(Exception):
    """Nothing was read and nothing was changed."""

    def __init__(self, status: int, code: str, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def body(self) -> bytes:
        """As GraphQL has errors."""
        return msgspec.json.encode({"errors": [{"message": self.message, "extensions": {"code": self.code}}]})


class Gone(Exception):
    """Whoever asked went away before the request was whole: there is nobody to answer."""
