"""Errors that callers see: expected ones have a code and a sentence, all others are masked."""

import structlog
from graphql import GraphQLError

from crm.adapters.telemetry.metrics import ERRORS

log = structlog.get_logger()


class ApiError(GraphQLError):
    """An error that the caller can act on."""

    code = "BAD_INPUT"

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": self.code})


class BadInput(ApiError):
    """An argument is not valid."""


class TooCommon(BadInput):
    """Many rows have the values of the custom fields, and a page was not found among those that are read for it."""


class TooMuch(ApiError):
    """The request, or its answer, is over a limit."""

    code = "TOO_MUCH"


class BadCursor(ApiError):
    """The cursor does not belong to this list."""

    code = "BAD_CURSOR"


class Unauthorized(ApiError):
    """The token is missing, unknown, revoked or expired."""

    code = "UNAUTHORIZED"


class Forbidden(Unauthorized):
    """The token is valid but lacks the scope."""

    code = "FORBIDDEN"


class SlowSubscriber(ApiError):
    """The subscriber does not read fast enough."""

    code = "SLOW_SUBSCRIBER"


class TooSlow(ApiError):
    """The statement was cancelled because it took too long."""

    code = "TOO_SLOW"


class StaleRead(ApiError):
    """The read models have not reached the requested position."""

    code = "STALE_READ"


class Unavailable(ApiError):
    """Postgres or Kafka does not answer."""

    code = "UNAVAILABLE"


class Invalid(Exception):
    """The document cannot be parsed or is over a limit. Carries GraphQL errors."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


def unexpected(error: GraphQLError) -> Exception | None:
    """Returns the exception behind an error, or None when the caller may read the error as it is."""
    cause: Exception | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def client_error(error: GraphQLError) -> GraphQLError:
    """Returns the error as the caller may see it, and counts it."""
    if unexpected(error):
        shown = GraphQLError("Internal error. It is in the server's log. Nothing was changed.", path=error.path)
        shown.extensions = {"code": "INTERNAL"}
    else:
        shown = error
        shown.extensions = {"code": "BAD_QUERY", **(error.extensions or {})}
    ERRORS.labels(str(shown.extensions["code"])).inc()
    return shown


def log_bugs(errors: list[GraphQLError], operation: str | None) -> None:
    """Logs bugs with the operation's name, never its text. A caller's mistakes are not logged."""
    for error in errors:
        if cause := unexpected(error):
            log.error("query failed", operation=operation, path=error.path, exc_info=cause)
