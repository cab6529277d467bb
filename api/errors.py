"""What a caller hears when something goes wrong: expected errors have a code and a sentence, all others are masked."""

from collections.abc import Iterator
from typing import Any

import structlog
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension

from crm.adapters.telemetry.metrics import ERRORS

log = structlog.get_logger()


class ApiError(GraphQLError):
    """An error that the caller can do something about."""

    code = "BAD_INPUT"

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": self.code})


class BadInput(ApiError):
    """An argument makes no sense."""


class TooMuch(ApiError):
    """The request is too large to answer at once."""

    code = "TOO_MUCH"


class BadCursor(ApiError):
    """The cursor is not one of this list."""

    code = "BAD_CURSOR"


class Unauthorized(ApiError):
    """The token does not hold, or no longer."""

    code = "UNAUTHORIZED"


class Forbidden(Unauthorized):
    """The token holds and lacks the scope."""

    code = "FORBIDDEN"


class SlowSubscriber(ApiError):
    """The subscriber did not take its changes in time."""

    code = "SLOW_SUBSCRIBER"


class TooSlow(ApiError):
    """The database was stopped before it had the answer."""

    code = "TOO_SLOW"


class StaleRead(ApiError):
    """The read models are not as far as the query wants them to be."""

    code = "STALE_READ"


class Unavailable(ApiError):
    """The database is away."""

    code = "UNAVAILABLE"


class Invalid(Exception):
    """The document is not even looked at: what is wrong with it, as GraphQL errors."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


def unexpected(error: GraphQLError) -> Exception | None:
    """The bug behind an error; None when the error is one that the caller may read."""
    cause: Exception | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def told(error: GraphQLError) -> GraphQLError:
    """The error as the caller sees it."""
    if unexpected(error):
        told = GraphQLError("Something went wrong here. It is in the log; nothing was changed.", path=error.path)
        told.extensions = {"code": "INTERNAL"}
    else:
        told = error
        told.extensions = {"code": "BAD_QUERY", **(error.extensions or {})}
    ERRORS.labels(str(told.extensions["code"])).inc()
    return told


def note(errors: list[GraphQLError], operation: str | None) -> None:
    """Bugs go to the log, with the operation's name and never its text; a caller's mistakes do not."""
    for error in errors:
        if cause := unexpected(error):
            log.error("query failed", operation=operation, path=error.path, exc_info=cause)


class Masked(SchemaExtension):
    """Runs last on every result, streamed ones too."""

    def on_operation(self) -> Iterator[None]:
        self.streamed = False
        yield
        if not self.streamed:
            self.mask(self.execution_context.result)

    def on_stream_result(self, result: Any) -> Iterator[None]:
        self.streamed = True
        self.mask(result)
        yield

    def mask(self, result: Any) -> None:
        if errors := getattr(result, "errors", None):
            result.errors = [told(error) for error in errors]
