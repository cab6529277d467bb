"""Content negotiation (RFC 9110) between the two media types of GraphQL responses."""

from functools import lru_cache

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
STREAM = "text/event-stream"
LONGEST = 1_000  # characters of the header that are read


@lru_cache(1_000)
def negotiate(accept: str) -> str | None:
    """Returns GRAPHQL when it is named, JSON when anything is accepted, None when neither is acceptable.

    With equal weights the newer one wins: its status code says whether the request was valid.
    """
    wanted = qualities(accept[:LONGEST])
    if not wanted:
        return JSON
    anything = wanted.get("application/*", wanted.get("*/*", 0.0))
    newer, older = wanted.get(GRAPHQL, anything), wanted.get(JSON, anything)
    if newer > 0 and (older <= 0 or (GRAPHQL in wanted and newer >= older)):
        return GRAPHQL
    return JSON if older > 0 else None


def wants_stream(accept: str) -> bool:
    """Tells whether the client prefers server-sent events."""
    wanted = qualities(accept[:LONGEST])
    return wanted.get(STREAM, 0.0) > 0 and wanted[STREAM] >= max(wanted.get(GRAPHQL, 0.0), wanted.get(JSON, 0.0))


def qualities(accept: str) -> dict[str, float]:
    """Returns each media range with its weight. An invalid weight counts as 1, as in most servers."""
    found: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if kind:
            found[kind] = max(found.get(kind, 0.0), weight(parameters))
    return found


def weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 1.0
    return 1.0
