"""Requests to a vendor's API, made of what its connector declares. Pure."""

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from crm.activation.declared import Activation, Call

FIELD = re.compile(r"\{([a-z_]+)\}")
BASIC = "Basic "  # what follows in a header is encoded as HTTP wants it


class VendorRequest(Struct, frozen=True, gc=False):
    """One request. `any_host`: people gave the host, so it must be proved to be a public one."""

    connector: str
    method: str
    base: str
    target: str  # path and query
    headers: dict[str, str]
    body: bytes = b""
    any_host: bool = False


def request_of(connector: str, declared: Activation, call: Call, values: Mapping[str, str]) -> VendorRequest:
    """Returns a request with all values filled in."""
    headers = {name: header(filled(text, values)) for name, text in declared.headers.items()}
    body = b""
    if call.json is not None:
        headers["content-type"], body = "application/json", msgspec.json.encode(_tree(call.json, values))
    elif call.form:
        headers["content-type"] = "application/x-www-form-urlencoded"
        body = urlencode({name: filled(text, values) for name, text in call.form.items()}).encode()
    target = FIELD.sub(lambda found: quote(values.get(found[1], ""), safe=":"), call.path)
    if call.query:
        target += "?" + urlencode({name: filled(text, values) for name, text in call.query.items()})
    base = filled(declared.base, values).rstrip("/")
    return VendorRequest(connector, call.method, base, target, headers, body, declared.any_host)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Returns a text with the values in place of their names in braces."""
    return FIELD.sub(lambda found: values.get(found[1], ""), text)


def header(text: str) -> str:
    """Returns the value of a header; user:password as HTTP's Basic scheme encodes it."""
    if text.startswith(BASIC):
        return BASIC + base64.b64encode(text.removeprefix(BASIC).encode()).decode()
    return text


def _tree(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _tree(one, values) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_tree(one, values) for one in value]
    return filled(value, values) if isinstance(value, str) else value
