"""The parameters of a GraphQL request over HTTP, from a JSON body or a query string."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from api.http.accept import JSON
from api.http.numbers import Number
from api.http.refusal import Refusal

NAMES = ("query", "operationName", "variables", "extensions", "documentId")
# A page may send these without a preflight.
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class GraphQLRequest(msgspec.Struct, rename="camel"):
    """One operation to execute. Unknown parameters are ignored, as the specification requires."""

    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None


BODY = msgspec.json.Decoder(GraphQLRequest, float_hook=Number)
MAP = msgspec.json.Decoder(dict[str, Any] | None, float_hook=Number)


def check_type(headers: Mapping[str, str]) -> None:
    """Raises Refusal unless the body is plain JSON in UTF-8. Forms are refused because any web page can post one."""
    kind, *parameters = (part.strip().lower() for part in headers.get("content-type", "").split(";"))
    if kind != JSON:
        why = "Forms are refused, because any web page can post one." if kind in FORMS else "Nothing was read."
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"Send the body with `Content-Type: application/json`. {why}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(" \"'") not in ("utf-8", "utf8"):
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body in UTF-8: JSON has no other charset.")
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body uncompressed.")


def from_body(body: bytes) -> GraphQLRequest:
    """Reads a request from a JSON body. Raises Refusal with the reason."""
    if body.lstrip()[:1] == b"[":
        raise bad_request("The body is a list. Batches are not supported: send one operation per request.")
    return require_document(decode(BODY, body, "The body"))


def from_query_string(query: bytes) -> GraphQLRequest:
    """Reads a request from the query string of a URL, with `variables` and `extensions` as JSON. Raises Refusal."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except (ValueError, UnicodeError):
        raise bad_request("The query string is not percent-encoded UTF-8.") from None
    given = dict(pairs)
    if repeated := [name for name in NAMES if sum(name == other for other, _ in pairs) > 1]:
        raise bad_request(f"`{repeated[0]}` is given twice.")
    variables, extensions = (
        decode(MAP, given[name].encode(), f"`{name}`") if given.get(name) else None
        for name in ("variables", "extensions")
    )
    name, id = given.get("operationName") or None, given.get("documentId")
    return require_document(GraphQLRequest(given.get("query"), name, variables, extensions, id))


def require_document(request: GraphQLRequest) -> GraphQLRequest:
    """Returns the request. Raises Refusal unless it has one document, by text or by id."""
    known = request.document_id is not None or (request.extensions or {}).get("persistedQuery") is not None
    if request.query is None and not known:
        raise bad_request("`query` is missing. Send a GraphQL document, or the `documentId` of a trusted document.")
    if request.query is not None and request.document_id is not None:
        raise bad_request("Both `query` and `documentId` are given. Send one of them.")
    return request


def decode(decoder: "msgspec.json.Decoder[Any]", text: bytes, what: str) -> Any:
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise bad_request(f"{what} is not valid: {error}.") from None
    except RecursionError:
        raise bad_request(f"{what} is nested too deeply.") from None
    except ValueError as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)
        raise bad_request(f"{what} is not JSON: {why}.") from None


def bad_request(message: str) -> Refusal:
    return Refusal(400, "BAD_REQUEST", f"{message} Nothing was read.")
